//! Where the database comes from: a parameter, so that tests can put a failing disk under it.

use std::fmt::Debug;
use std::path::Path;

use redb::{Builder, Database, DatabaseError};

/// What redb keeps in memory: the log's tail, which replication reads, is a few MiB.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// Opens the log's database at a path, making it when it is not there.
pub trait Disk: Debug + Send + Sync {
    fn open(&self, path: &Path) -> Result<Database, DatabaseError>;
}

/// An ordinary file.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileDisk;

impl Disk for FileDisk {
    fn open(&self, path: &Path) -> Result<Database, DatabaseError> {
        Builder::new().set_cache_size(CACHE_BYTES).create(path)
    }
}
