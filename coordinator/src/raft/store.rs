//! The log on disk: entries, vote, committed and purged log ids in one redb file, and the floor record beside it.
//!
//! ```text
//! append ── commit without sync ──► readable ──► sync thread ── one synced commit ──► floor ──► acknowledgements
//!                                   (many appends wait for the same sync)
//! ```
//!
//! The state itself is not in here: it is in memory, and comes back from a snapshot and the log after it.

mod disk;
mod error;
mod floor;
mod log;
mod sync;
mod tables;

#[cfg(test)]
mod tests;

pub use disk::{Disk, FileDisk};
pub use error::StoreError;
pub(super) use log::{LogStore, StoreThread};
