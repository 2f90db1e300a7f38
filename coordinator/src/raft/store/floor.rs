//! The floor: what the log must at least contain.
//!
//! redb falls back to an earlier commit when the newest one has rotted. For raft that is a lie: entries and votes that
//! others count on would be gone, silently. So a small record stands beside the database, and a store that is behind
//! its floor does not start.
//!
//! The rule: **the floor is never above what is synced in the database, and a vote's or truncation's floor is synced
//! with it.**
//!
//! - A vote: database synced, then the floor written and synced. One more fsync per election.
//! - Appended entries: after each synced commit and before its acknowledgements the floor is written, without a sync
//!   (some microseconds), so it is exact after a crash of the process. It is synced at most once a second: after a
//!   power loss it may lag a second, and a rollback of less than that goes unnoticed, if the newest commit rotted too.
//! - A truncation: the floor is lowered and synced first.
//!
//! Two copies are written in turn, each with a checksum: a torn write leaves the other one, which is lower and so true.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use prost::Message as _;
use skep_proto::store as pb;

use super::StoreError;
use crate::raft::codec;
use crate::raft::files;
use crate::raft::types::{LogId, Vote};

/// Each copy in a disk block of its own, so that no write touches both.
const SLOT_BYTES: u64 = 4096;
/// A length and a SHA-256 before the record.
const HEAD_BYTES: usize = 4 + 32;

#[derive(Debug)]
pub(super) struct Floor {
    path: PathBuf,
    file: File,
    record: pb::Floor,
    last: Option<LogId>,
    vote: Option<Vote>,
    /// Written since the last sync.
    dirty: bool,
}

impl Floor {
    pub(super) fn create(path: &Path, record: pb::Floor) -> Result<Self, StoreError> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path);
        let file = file.map_err(|error| StoreError::io(path, error))?;
        let mut floor = Self { path: path.to_owned(), file, record, last: None, vote: None, dirty: false };
        let written = floor.write().and_then(|()| floor.sync());
        written.map_err(|error| StoreError::io(path, error))?;
        files::sync_parent(path).map_err(|error| StoreError::io(path, error))?;
        Ok(floor)
    }

    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let file = OpenOptions::new().read(true).write(true).open(path);
        let file = file.map_err(|error| StoreError::io(path, error))?;
        let newest =
            [0, 1].into_iter().filter_map(|slot| read_slot(&file, slot)).max_by_key(|floor| floor.sequence);
        let record = newest.ok_or_else(|| StoreError::FloorDamaged { path: path.to_owned() })?;
        let unreadable = |source| StoreError::Unreadable { path: path.to_owned(), source };
        let last = record.last.map(codec::log_id_from_pb).transpose().map_err(unreadable)?;
        let vote = record.vote.map(|vote| codec::vote_from_pb(Some(vote))).transpose().map_err(unreadable)?;
        Ok(Self { path: path.to_owned(), file, record, last, vote, dirty: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn record(&self) -> &pb::Floor {
        &self.record
    }

    pub(super) fn last(&self) -> Option<LogId> {
        self.last
    }

    pub(super) fn vote(&self) -> Option<Vote> {
        self.vote
    }

    /// Raises the floor to an entry that is synced in the database.
    pub(super) fn raise(&mut self, last: LogId) -> io::Result<()> {
        if self.last.is_some_and(|floor| floor >= last) {
            return Ok(());
        }
        self.last = Some(last);
        self.write()
    }

    /// Before a truncation.
    pub(super) fn lower(&mut self, last: Option<LogId>) -> io::Result<()> {
        if self.last <= last {
            return Ok(());
        }
        self.last = last;
        self.write()?;
        self.sync()
    }

    /// After a vote was synced in the database.
    pub(super) fn vote_saved(&mut self, vote: Vote) -> io::Result<()> {
        self.vote = Some(vote);
        self.write()?;
        self.sync()
    }

    pub(super) fn dirty(&self) -> bool {
        self.dirty
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        self.dirty = false;
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        self.record.sequence += 1;
        self.record.last = self.last.as_ref().map(codec::log_id_to_pb);
        self.record.vote = self.vote.as_ref().map(codec::vote_to_pb);
        let payload = self.record.encode_to_vec();
        let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
        let mut slot = Vec::with_capacity(HEAD_BYTES + payload.len());
        slot.extend_from_slice(&length.to_be_bytes());
        slot.extend_from_slice(&skep_tls::sha256(&payload).0);
        slot.extend_from_slice(&payload);
        self.dirty = true;
        self.file.write_all_at(&slot, (self.record.sequence % 2) * SLOT_BYTES)
    }
}

/// None for a copy that was never written, or is damaged.
fn read_slot(file: &File, slot: u64) -> Option<pb::Floor> {
    let offset = slot * SLOT_BYTES;
    let mut head = [0; HEAD_BYTES];
    file.read_exact_at(&mut head, offset).ok()?;
    let (length, checksum) = head.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    if length + HEAD_BYTES > usize::try_from(SLOT_BYTES).ok()? {
        return None;
    }
    let mut payload = vec![0; length];
    file.read_exact_at(&mut payload, offset + u64::try_from(HEAD_BYTES).ok()?).ok()?;
    if skep_tls::sha256(&payload).0 != checksum {
        return None;
    }
    pb::Floor::decode(payload.as_slice()).ok()
}
