//! openraft's own suite, and what a disk that loses data leads to.

use std::path::Path;
use std::sync::Arc;

use openraft::StorageError;
use openraft::entry::RaftEntry;
use openraft::impls::leader_id_adv::LeaderId;
use openraft::storage::{RaftLogStorage, RaftLogStorageExt};
use openraft::testing::log::{StoreBuilder, Suite};
use skep_types::{ClusterId, CoordinatorId};
use tempfile::TempDir;
use tokio::sync::watch;

use super::{FileDisk, LogStore, StoreError, StoreThread};
use crate::clock::BootClock;
use crate::raft::changes::ChangeFeed;
use crate::raft::snapshot::SnapshotFolder;
use crate::raft::state_machine::{Outlets, StateMachine};
use crate::raft::time::ClusterClock;
use crate::raft::types::{LogEntry, LogId, TypeConfig, Vote};

fn cluster() -> ClusterId {
    "test".parse().unwrap()
}

const ID: CoordinatorId = CoordinatorId(1);

fn create(dir: &Path) {
    LogStore::create(dir, &FileDisk, &cluster(), ID).unwrap();
}

fn open(dir: &Path) -> Result<(LogStore, StoreThread), StoreError> {
    LogStore::open(dir, &FileDisk, &cluster(), ID)
}

struct Builder;

impl StoreBuilder<TypeConfig, LogStore, StateMachine, TempDir> for Builder {
    async fn build(&self) -> Result<(TempDir, LogStore, StateMachine), StorageError<TypeConfig>> {
        let dir = tempfile::tempdir().unwrap();
        create(dir.path());
        let (log, _) = open(dir.path()).unwrap();
        let (folder, _) = SnapshotFolder::open(dir.path().join("snapshots")).unwrap();
        let outlets = Outlets {
            published: watch::channel(Arc::default()).0,
            changes: Arc::new(ChangeFeed::default()),
            clock: Arc::new(ClusterClock::new(Arc::new(BootClock), Default::default())),
            id: ID,
        };
        Ok((dir, log, StateMachine::new(folder, None, outlets)))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passes_the_suite_of_openraft() {
    Suite::test_all(Builder).await.unwrap();
}

fn id(term: u64, index: u64) -> LogId {
    LogId::new(LeaderId { term, node_id: 1 }, index)
}

fn blank(term: u64, index: u64) -> LogEntry {
    LogEntry::new_blank(id(term, index))
}

/// Fills a store and closes it.
async fn fill(dir: &Path) {
    let (mut log, thread) = open(dir).unwrap();
    log.save_vote(&Vote::new_committed(3, 1)).await.unwrap();
    log.blocking_append((1..=9).map(|index| blank(3, index))).await.unwrap();
    drop(log);
    thread.join();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    create(dir.path());
    fill(dir.path()).await;
    let (mut log, _) = open(dir.path()).unwrap();
    assert_eq!(log.get_log_state().await.unwrap().last_log_id, Some(id(3, 9)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lost_entries_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    create(dir.path());
    let early = dir.path().join("early");
    std::fs::copy(dir.path().join("log.redb"), &early).unwrap();
    fill(dir.path()).await;
    std::fs::copy(&early, dir.path().join("log.redb")).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Behind { what: "last entry", .. }), "{error}");
    assert!(
        error.to_string().contains("its last entry is nothing, its floor record says T3-N1.9"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lost_a_vote_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    create(dir.path());
    fill(dir.path()).await;
    let early = dir.path().join("early");
    std::fs::copy(dir.path().join("log.redb"), &early).unwrap();
    let (mut log, thread) = open(dir.path()).unwrap();
    log.save_vote(&Vote::new(4, 2)).await.unwrap();
    drop(log);
    thread.join();
    std::fs::copy(&early, dir.path().join("log.redb")).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::Behind { what: "vote", .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_log_is_not_behind_its_floor() {
    let dir = tempfile::tempdir().unwrap();
    create(dir.path());
    fill(dir.path()).await;
    let (mut log, thread) = open(dir.path()).unwrap();
    log.blocking_append([blank(3, 10)]).await.unwrap();
    log.truncate_after(Some(id(3, 4))).await.unwrap();
    drop(log);
    thread.join();
    let (mut log, _) = open(dir.path()).unwrap();
    assert_eq!(log.get_log_state().await.unwrap().last_log_id, Some(id(3, 4)));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_damaged_copy_of_the_floor_is_survived_and_two_are_told() {
    let dir = tempfile::tempdir().unwrap();
    create(dir.path());
    fill(dir.path()).await;
    let path = dir.path().join("floor");
    let whole = std::fs::read(&path).unwrap();
    for slot in [0, 4096] {
        let mut torn = whole.clone();
        torn[slot + 40] ^= 1;
        std::fs::write(&path, &torn).unwrap();
        let (log, thread) = open(dir.path()).unwrap();
        drop(log);
        thread.join();
    }
    let mut torn = whole;
    torn[40] ^= 1;
    torn[4096 + 40] ^= 1;
    std::fs::write(&path, &torn).unwrap();
    assert!(matches!(open(dir.path()), Err(StoreError::FloorDamaged { .. })));
}

#[test]
fn a_store_belongs_to_one_coordinator_and_is_made_once() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(open(dir.path()), Err(StoreError::Missing { .. })));
    create(dir.path());
    let again = LogStore::create(dir.path(), &FileDisk, &cluster(), ID);
    assert!(matches!(again, Err(StoreError::Exists { .. })));
    let other = LogStore::open(dir.path(), &FileDisk, &cluster(), CoordinatorId(2));
    assert!(matches!(other, Err(StoreError::Identity { .. })));
    let elsewhere = tempfile::tempdir().unwrap();
    create(elsewhere.path());
    std::fs::copy(elsewhere.path().join("log.redb"), dir.path().join("log.redb")).unwrap();
    assert!(matches!(open(dir.path()), Err(StoreError::Incarnation { .. })));
}
