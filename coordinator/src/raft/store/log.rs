//! openraft's log storage on redb.

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;

use futures::Stream;
use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::{LogState, OptionalSend, RaftLogReader};
use prost::Message as _;
use redb::{Database, Durability, ReadableDatabase, ReadableTable};
use skep_proto::store as pb;
use skep_types::{ClusterId, CoordinatorId};

use super::floor::Floor;
use super::sync::{Guarded, SharedFloor, Waiting, lock};
use super::tables::{COMMITTED, IDENTITY, LOG, PURGED, VOTE, failed, meta, put_meta, unreadable};
use super::{Disk, StoreError, sync, tables};
use crate::raft::codec;
use crate::raft::types::{LogEntry, LogId, TypeConfig, Vote};

/// What one read brings into memory, and so what one append message carries: replication of it stays below a
/// heartbeat, and well below the limit of a gRPC message. A single entry may be larger.
const READ_BYTES: usize = 1024 * 1024;

const DATABASE: &str = "log.redb";
const FLOOR: &str = "floor";

/// A handle to the log; clones share it.
#[derive(Debug, Clone)]
pub(in crate::raft) struct LogStore {
    database: Arc<Database>,
    floor: SharedFloor,
    sync: SyncSender<Waiting>,
}

/// The thread that syncs. Joined after the last [`LogStore`] is dropped, the files are closed.
#[derive(Debug)]
pub(in crate::raft) struct StoreThread(JoinHandle<()>);

impl StoreThread {
    pub(in crate::raft) fn join(self) {
        if self.0.join().is_err() {
            tracing::error!("the sync thread panicked");
        }
    }
}

impl LogStore {
    /// Makes an empty log. Only for an id that was just given out: a wiped coordinator must not vote under its old one.
    pub(in crate::raft) fn create(
        dir: &Path,
        disk: &dyn Disk,
        cluster: &ClusterId,
        coordinator: CoordinatorId,
    ) -> Result<(), StoreError> {
        std::fs::create_dir_all(dir).map_err(|error| StoreError::io(dir, error))?;
        let (path, floor_path) = paths(dir);
        if path.exists() || floor_path.exists() {
            return Err(StoreError::Exists { path: dir.to_owned() });
        }
        let identity = pb::Floor {
            cluster: cluster.to_string(),
            coordinator: coordinator.0,
            incarnation: draw_incarnation(&path)?,
            ..Default::default()
        };
        let database = disk.open(&path).map_err(|error| StoreError::database(&path, error))?;
        let bytes = identity.encode_to_vec();
        tables::create(&database)
            .and_then(|()| {
                tables::write(&database, Durability::Immediate, |transaction| {
                    put_meta(transaction, IDENTITY, Some(&bytes))
                })
            })
            .map_err(|error| StoreError::io(&path, error))?;
        // Last: a log without a floor is half made, and refused.
        Floor::create(&floor_path, identity)?;
        Ok(())
    }

    pub(in crate::raft) fn open(
        dir: &Path,
        disk: &dyn Disk,
        cluster: &ClusterId,
        coordinator: CoordinatorId,
    ) -> Result<(Self, StoreThread), StoreError> {
        let (path, floor_path) = paths(dir);
        if !path.exists() || !floor_path.exists() {
            return Err(StoreError::Missing { path: dir.to_owned() });
        }
        let floor = Floor::open(&floor_path)?;
        check_owner(&floor, cluster, coordinator)?;
        let database = Arc::new(disk.open(&path).map_err(|error| StoreError::database(&path, error))?);
        check_floor(&path, &database, &floor)?;
        let floor: SharedFloor = Arc::new(std::sync::Mutex::new(Guarded { floor, generation: 0 }));
        let (sender, thread) =
            sync::start(database.clone(), floor.clone()).map_err(|error| StoreError::io(&path, error))?;
        Ok((Self { database, floor, sync: sender }, StoreThread(thread)))
    }

    fn last(&self) -> io::Result<Option<LogId>> {
        last_log_id(&self.database)
    }

    fn read(&self, range: impl RangeBounds<u64>, bytes_max: usize) -> io::Result<Vec<LogEntry>> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let table = transaction.open_table(LOG).map_err(failed)?;
        let mut entries = Vec::new();
        let mut bytes = 0_usize;
        for row in table.range(range).map_err(failed)? {
            let (_, value) = row.map_err(failed)?;
            bytes = bytes.saturating_add(value.value().len());
            if bytes > bytes_max && !entries.is_empty() {
                break;
            }
            entries.push(codec::decode_entry(value.value()).map_err(unreadable)?);
        }
        Ok(entries)
    }
}

fn paths(dir: &Path) -> (PathBuf, PathBuf) {
    (dir.join(DATABASE), dir.join(FLOOR))
}

fn draw_incarnation(path: &Path) -> Result<u64, StoreError> {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| StoreError::io(path, io::Error::other("no randomness to be had")))?;
    Ok(u64::from_be_bytes(bytes))
}

fn check_owner(floor: &Floor, cluster: &ClusterId, coordinator: CoordinatorId) -> Result<(), StoreError> {
    let record = floor.record();
    if record.cluster == cluster.as_str() && record.coordinator == coordinator.0 {
        return Ok(());
    }
    Err(StoreError::Identity {
        path: floor.path().to_owned(),
        found: CoordinatorId(record.coordinator),
        found_cluster: record.cluster.clone(),
        wanted: coordinator,
        wanted_cluster: cluster.to_string(),
    })
}

/// Refuses a database that has less than its floor says, or is not the one the floor was written for.
fn check_floor(path: &Path, database: &Database, floor: &Floor) -> Result<(), StoreError> {
    let io = |error| StoreError::io(path, error);
    let identity = meta(database, IDENTITY, |bytes| Ok(pb::Floor::decode(bytes)?)).map_err(io)?;
    if identity.is_none_or(|identity| identity.incarnation != floor.record().incarnation) {
        return Err(StoreError::Incarnation { path: path.to_owned() });
    }
    let behind = |what, found: String, floor: String| {
        Err(StoreError::Behind { path: path.to_owned(), what, found, floor })
    };
    let last = last_log_id(database).map_err(io)?;
    if last < floor.last() {
        return behind("last entry", shown(last), shown(floor.last()));
    }
    let vote = meta(database, VOTE, codec::decode_vote).map_err(io)?;
    if vote < floor.vote() {
        return behind("vote", shown(vote), shown(floor.vote()));
    }
    Ok(())
}

fn shown(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
}

/// Of the last entry, or of the last purged one where none is left.
fn last_log_id(database: &Database) -> io::Result<Option<LogId>> {
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction.open_table(LOG).map_err(failed)?;
    match table.last().map_err(failed)? {
        Some((_, value)) => Ok(Some(codec::decode_entry(value.value()).map_err(unreadable)?.log_id)),
        None => meta(database, PURGED, codec::decode_log_id),
    }
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<LogEntry>, io::Error> {
        self.read(range, usize::MAX)
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<LogEntry>, io::Error> {
        self.read(start..end, READ_BYTES)
    }

    /// For apply: after a restart that is the whole log, which is not brought into memory at once.
    async fn entries_stream<RB>(
        &mut self,
        range: RB,
    ) -> impl Stream<Item = Result<LogEntry, io::Error>> + OptionalSend
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let end = match range.end_bound() {
            Bound::Included(end) => end.saturating_add(1),
            Bound::Excluded(end) => *end,
            Bound::Unbounded => u64::MAX,
        };
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(start) => start.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let store = self.clone();
        let pages = futures::stream::try_unfold(start, move |start| {
            let page = if start < end { store.read(start..end, READ_BYTES) } else { Ok(Vec::new()) };
            async move {
                let page = page?;
                let Some(last) = page.last() else { return Ok::<_, io::Error>(None) };
                let next = last.log_id.index + 1;
                Ok(Some((futures::stream::iter(page.into_iter().map(Ok)), next)))
            }
        });
        Box::pin(futures::TryStreamExt::try_flatten(pages))
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        meta(&self.database, VOTE, codec::decode_vote)
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        let last_purged_log_id = meta(&self.database, PURGED, codec::decode_log_id)?;
        Ok(LogState { last_purged_log_id, last_log_id: self.last()? })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        let bytes = codec::encode_vote(vote);
        tables::write(&self.database, Durability::Immediate, |transaction| {
            put_meta(transaction, VOTE, Some(&bytes))
        })?;
        lock(&self.floor).floor.vote_saved(*vote)
    }

    /// Not synced: it rides on the next sync, and only spares a restart some waiting.
    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        let bytes = committed.as_ref().map(codec::encode_log_id);
        tables::write(&self.database, Durability::None, |transaction| {
            put_meta(transaction, COMMITTED, bytes.as_deref())
        })
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        meta(&self.database, COMMITTED, codec::decode_log_id)
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = LogEntry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut last = None;
        tables::write(&self.database, Durability::None, |transaction| {
            let mut table = transaction.open_table(LOG).map_err(failed)?;
            for entry in entries {
                last = Some(entry.log_id);
                table.insert(entry.log_id.index, codec::encode_entry(&entry).as_slice()).map_err(failed)?;
            }
            Ok(())
        })?;
        let generation = lock(&self.floor).generation;
        let waiting = Waiting { last, generation, done: callback };
        self.sync.send(waiting).map_err(|_| io::Error::other("the sync thread has ended"))
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> Result<(), io::Error> {
        let mut guarded = lock(&self.floor);
        guarded.generation += 1;
        guarded.floor.lower(last)?;
        let from = last.map_or(0, |last| last.index + 1);
        tables::write(&self.database, Durability::Immediate, |transaction| {
            let mut table = transaction.open_table(LOG).map_err(failed)?;
            table.retain_in(from.., |_, _| false).map_err(failed)
        })
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), io::Error> {
        let bytes = codec::encode_log_id(&upto);
        tables::write(&self.database, Durability::Immediate, |transaction| {
            put_meta(transaction, PURGED, Some(&bytes))?;
            let mut table = transaction.open_table(LOG).map_err(failed)?;
            table.retain_in(..=upto.index, |_, _| false).map_err(failed)
        })
    }
}
