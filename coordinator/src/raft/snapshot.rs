//! Snapshots are files beside the log.
//!
//! ```text
//! "skepsnp1" · SnapshotMeta · records … · SHA-256 of all that      messages behind their length as a varint
//! ```
//!
//! A file gets its name only when it is whole and synced; one with a name that does not match its digest is damage, and
//! is told, not skipped: the log before it is gone.

mod file;
mod folder;

#[cfg(test)]
mod tests;

pub(super) use file::SnapshotFile;
pub(super) use folder::{Incoming, SnapshotFolder};

/// Why the folder of snapshots cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("{path} cannot be used")]
    Io { path: std::path::PathBuf, source: std::io::Error },
    #[error(
        "the snapshot {path} is damaged, and the log before it is gone; remove this coordinator from the cluster and \
         let it join under a new id"
    )]
    Damaged { path: std::path::PathBuf, source: std::io::Error },
}
