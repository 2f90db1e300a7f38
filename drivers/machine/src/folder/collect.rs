//! Reads a machine's files back from a folder that its plugin owns.
//!
//! Every step goes from an open folder to a name in it and follows no link: a plugin that swaps a folder for a link
//! while we look shows us nothing that is not its own.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;
use skep_types::limits;
use tracing::debug;

/// Files of one machine, and folders within folders. Drivers have two files and no folders.
const FILES: usize = 256;
const NESTING: usize = 4;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CollectError {
    #[error(
        "the plugin's file {file} has {bytes} bytes; what cannot be kept with the others cannot follow a machine \
             to another coordinator, and at most {} can",
        limits::KEPT_BYTES
    )]
    TooLarge { file: String, bytes: u64 },
    #[error("the plugin keeps more than {FILES} files, or folders deeper than {NESTING}")]
    TooMany,
    #[error("the plugin's files cannot be read")]
    Io(#[from] Errno),
    #[error("a file of the plugin's cannot be read")]
    Read(#[from] std::io::Error),
}

pub(super) fn files(
    root: &Path,
    machine: &str,
    owner: Option<u32>,
) -> Result<BTreeMap<String, String>, CollectError> {
    let mut folder = folder(CWD, root)?;
    for part in ["store", "machines", machine] {
        folder = self::folder(folder.as_fd(), Path::new(part))?;
    }
    let mut walk = Walk { owner, files: BTreeMap::new(), bytes_left: limits::KEPT_BYTES as u64 };
    walk.folder(&folder, "", 0)?;
    Ok(walk.files)
}

fn folder(at: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(at, path, flags, Mode::empty())
}

struct Walk {
    owner: Option<u32>,
    files: BTreeMap<String, String>,
    bytes_left: u64,
}

impl Walk {
    fn folder(&mut self, folder: &OwnedFd, prefix: &str, depth: usize) -> Result<(), CollectError> {
        if depth > NESTING {
            return Err(CollectError::TooMany);
        }
        for entry in Dir::read_from(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if !matches!(name, "." | "..") {
                self.entry(folder, name, &format!("{prefix}{name}"), depth)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, folder: &OwnedFd, name: &str, path: &str, depth: usize) -> Result<(), CollectError> {
        // A pipe would keep us waiting for somebody to open its other end.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = match openat(folder, name, flags, Mode::empty()) {
            Ok(opened) => opened,
            // A link, a socket, or gone meanwhile.
            Err(Errno::LOOP | Errno::NXIO | Errno::NOENT) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let stat = fstat(&opened)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => self.folder(&opened, &format!("{path}/"), depth + 1),
            FileType::RegularFile if self.owner.is_none_or(|owner| owner == stat.st_uid) => {
                self.file(File::from(opened), path, u64::try_from(stat.st_size).unwrap_or(u64::MAX))
            }
            _ => {
                debug!(path, "what is no file of the plugin's own is not kept");
                Ok(())
            }
        }
    }

    fn file(&mut self, file: File, path: &str, bytes: u64) -> Result<(), CollectError> {
        if self.files.len() == FILES {
            return Err(CollectError::TooMany);
        }
        let mut content = Vec::new();
        // It may grow meanwhile.
        file.take(self.bytes_left + 1).read_to_end(&mut content)?;
        let Some(left) = self.bytes_left.checked_sub(content.len() as u64) else {
            return Err(CollectError::TooLarge { file: path.to_owned(), bytes });
        };
        self.bytes_left = left;
        self.files.insert(path.to_owned(), STANDARD.encode(content));
        Ok(())
    }
}
