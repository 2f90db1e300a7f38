use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{SnapshotError, SnapshotFolder};
use crate::raft::codec::tests::{draws, sample_state};
use crate::raft::types::{LogId, SnapshotMeta};

fn meta(index: u64) -> SnapshotMeta {
    let leader = openraft::impls::leader_id_adv::LeaderId { term: 1, node_id: 1 };
    SnapshotMeta { last_log_id: Some(LogId::new(leader, index)), last_membership: Default::default() }
}

fn state() -> skep_core::State {
    let mut draw = draws().new_tree(&mut TestRunner::deterministic()).unwrap().current();
    sample_state(&mut draw)
}

#[test]
fn the_newest_snapshot_is_found_again_and_older_ones_go() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, none) = SnapshotFolder::open(dir.path().to_owned()).unwrap();
    assert!(none.is_none());
    let state = state();
    folder.write(&meta(5), &skep_core::State::default()).unwrap();
    folder.write(&meta(12), &state).unwrap();
    std::fs::write(dir.path().join("7.tmp"), "half").unwrap();
    let (_, newest) = SnapshotFolder::open(dir.path().to_owned()).unwrap();
    assert_eq!(newest.unwrap().read().unwrap(), (meta(12), state));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_damaged_snapshot_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, _) = SnapshotFolder::open(dir.path().to_owned()).unwrap();
    let path = folder.write(&meta(5), &state()).unwrap().path().to_owned();
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let error = SnapshotFolder::open(dir.path().to_owned()).unwrap_err();
    assert!(matches!(error, SnapshotError::Damaged { .. }), "{error}");
}

#[test]
fn a_snapshot_arrives_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, _) = SnapshotFolder::open(dir.path().to_owned()).unwrap();
    let sent = folder.write(&meta(5), &state()).unwrap();
    let bytes = sent.chunk(0, usize::MAX).unwrap();
    let mut incoming = folder.receive().unwrap();
    incoming.write(&bytes[..bytes.len() - 1]).unwrap();
    assert!(incoming.finish(sent.digest()).is_err());
    let mut incoming = folder.receive().unwrap();
    bytes.chunks(7).for_each(|chunk| incoming.write(chunk).unwrap());
    let received = incoming.finish(sent.digest()).unwrap();
    assert_eq!(received.read().unwrap(), sent.read().unwrap());
}
