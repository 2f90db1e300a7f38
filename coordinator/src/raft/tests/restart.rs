//! Nodes that come back, and such that must not.

use super::harness::{Cluster, write};
use crate::raft::{StartError, StoreError};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_nodes_killed_at_once_lose_nothing() {
    let mut cluster = Cluster::of(3).await;
    for number in 0..20 {
        write(&cluster.nodes[&(number % 3 + 1)], number).await;
    }
    let before = cluster.assert_equal_states().await;
    let nodes = std::mem::take(&mut cluster.nodes);
    futures::future::join_all(nodes.values().map(crate::raft::RaftHandle::kill)).await;
    drop(nodes);
    for id in 1..=3 {
        cluster.start(id).await.unwrap();
    }
    cluster.leader().await;
    assert_eq!(cluster.assert_equal_states().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_log_went_back_does_not_take_part() {
    let mut cluster = Cluster::of(3).await;
    let follower = cluster.follower().await;
    cluster.kill(follower).await;
    let log = cluster.folder(follower).join("log.redb");
    let earlier = std::fs::read(&log).unwrap();
    cluster.start(follower).await.unwrap();
    write(&cluster.nodes[&follower], 1).await;
    cluster.settled().await;
    cluster.kill(follower).await;
    std::fs::write(&log, earlier).unwrap();
    let error = cluster.start(follower).await.unwrap_err();
    assert!(matches!(&error, StartError::Store(StoreError::Behind { .. })), "{error:?}");
    // The others go on without it.
    write(&cluster.nodes[&cluster.leader().await], 2).await;
}
