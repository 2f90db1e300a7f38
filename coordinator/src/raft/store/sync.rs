//! Group commit: one thread makes one synced commit for everybody who waits.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use openraft::storage::IOFlushed;
use redb::Database;

use super::floor::Floor;
use super::tables;
use crate::raft::types::{LogId, TypeConfig};

/// Appends that wait for a sync. openraft merges what it can before it appends, so more than a few is rare; a full
/// queue blocks the next append until the disk has caught up.
const WAITING: usize = 1024;
/// A floor that was only written is synced after this long.
const FLOOR_SYNC: Duration = Duration::from_secs(1);

/// One append that is readable and waits to be durable.
pub(super) struct Waiting {
    pub(super) last: Option<LogId>,
    /// The number of truncations before it: the floor must not rise to an entry that was truncated since.
    pub(super) generation: u64,
    pub(super) done: IOFlushed<TypeConfig>,
}

/// The floor, and how often the log was truncated.
#[derive(Debug)]
pub(super) struct Guarded {
    pub(super) floor: Floor,
    pub(super) generation: u64,
}

pub(super) type SharedFloor = Arc<Mutex<Guarded>>;

pub(super) fn lock(floor: &SharedFloor) -> MutexGuard<'_, Guarded> {
    // A panic between two fields of the record leaves a floor that is at worst not written.
    floor.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread ends, and closes its hold on the database, when the last sender is gone.
pub(super) fn start(
    database: Arc<Database>,
    floor: SharedFloor,
) -> io::Result<(SyncSender<Waiting>, JoinHandle<()>)> {
    let (sender, receiver) = sync_channel(WAITING);
    let thread = std::thread::Builder::new()
        .name("raft-sync".into())
        .spawn(move || run(&database, &floor, &receiver))?;
    Ok((sender, thread))
}

fn run(database: &Database, floor: &SharedFloor, receiver: &Receiver<Waiting>) {
    let mut floor_synced = Instant::now();
    loop {
        match receiver.recv_timeout(FLOOR_SYNC) {
            Ok(first) => acknowledge(database, floor, receiver, first),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if floor_synced.elapsed() >= FLOOR_SYNC {
            sync_floor(floor);
            floor_synced = Instant::now();
        }
    }
    sync_floor(floor);
}

fn acknowledge(database: &Database, floor: &SharedFloor, receiver: &Receiver<Waiting>, first: Waiting) {
    let mut waiting = vec![first];
    while waiting.len() < WAITING {
        match receiver.try_recv() {
            Ok(next) => waiting.push(next),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
    let synced = tables::sync(database).and_then(|()| raise(floor, &waiting));
    for append in waiting {
        append.done.io_completed(match &synced {
            Ok(()) => Ok(()),
            Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
        });
    }
}

fn raise(floor: &SharedFloor, synced: &[Waiting]) -> io::Result<()> {
    let mut guarded = lock(floor);
    let generation = guarded.generation;
    let last =
        synced.iter().filter(|append| append.generation == generation).filter_map(|append| append.last).max();
    last.map_or(Ok(()), |last| guarded.floor.raise(last))
}

/// The next write of the floor meets the same disk, and its error stops raft: here it is only told.
fn sync_floor(floor: &SharedFloor) {
    let mut guarded = lock(floor);
    if !guarded.floor.dirty() {
        return;
    }
    if let Err(error) = guarded.floor.sync() {
        tracing::warn!(%error, "cannot sync the floor record");
    }
}
