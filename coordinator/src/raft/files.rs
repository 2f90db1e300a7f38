//! Folders and names that have to survive a power loss.

use std::fs::File;
use std::io;
use std::path::Path;

/// Makes a creation, rename or removal inside the folder durable.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), sync_dir)
}
