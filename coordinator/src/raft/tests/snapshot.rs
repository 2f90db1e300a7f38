//! Compaction, and followers that were away for it.

use super::harness::{Cluster, PATIENCE, until, write};
use crate::raft::RaftHandle;

fn small(config: &mut crate::raft::RaftConfig) {
    config.snapshot_every = 50;
    config.keep_entries = 5;
}

/// The log's compaction follows a snapshot by itself; its only sign is in the status.
async fn purged(node: &RaftHandle, beyond: u64) {
    let looking = async {
        while node.status().purged_index <= beyond {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.expect("nothing was purged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_that_was_away_gets_a_snapshot_and_has_the_same_state() {
    let mut cluster = Cluster::tuned(3, small).await;
    let away = cluster.follower().await;
    let last = cluster.nodes[&away].status().last_index;
    cluster.kill(away).await;
    let leader = cluster.leader().await;
    for number in 0..200 {
        write(&cluster.nodes[&leader], number).await;
    }
    purged(&cluster.nodes[&leader], last + 1).await;
    cluster.start(away).await.unwrap();
    let index = cluster.nodes[&leader].read().await.unwrap().applied_index;
    until(&cluster.nodes[&away], |published| published.applied_index >= index).await;
    let state = cluster.assert_equal_states().await;
    assert_eq!(state.operations.len(), 200);
    assert!(cluster.nodes[&away].status().purged_index > last, "it replayed the log");

    // From its own disk again: the snapshot it got, and the entries after it.
    cluster.kill(away).await;
    cluster.start(away).await.unwrap();
    assert_eq!(cluster.assert_equal_states().await, state);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_node_joins_through_a_snapshot() {
    let mut cluster = Cluster::tuned(1, small).await;
    for number in 0..120 {
        write(&cluster.nodes[&1], number).await;
    }
    purged(&cluster.nodes[&1], 50).await;
    cluster.start_new(2).await;
    cluster.nodes[&1].add_voter(skep_types::CoordinatorId(2), cluster.node(2)).await.unwrap();
    write(&cluster.nodes[&2], 1000).await;
    assert_eq!(cluster.assert_equal_states().await.operations.len(), 121);
}
