//! Proposals and reads, on any node.

use skep_core::command::Reply;
use skep_types::CoordinatorId;

use super::harness::{Cluster, authorities, request, tls, write};
use crate::raft::Beat;
use crate::raft::ProposeErrorKind;
use crate::raft::network::{Dialer, PeerClient};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_accepts_and_reads_its_own_writes() {
    let cluster = Cluster::of(3).await;
    for (number, node) in (0..).zip(cluster.nodes.values()) {
        let operation = write(node, number).await;
        assert!(node.state().state.operations.contains_key(&operation), "not read by who wrote it");
        for other in cluster.nodes.values() {
            let read = other.read().await.unwrap();
            assert!(read.state.operations.contains_key(&operation), "a linearizable read misses it");
        }
    }
    cluster.assert_equal_states().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_on_every_node_is_one_operation() {
    let cluster = Cluster::of(3).await;
    let mut operations = Vec::new();
    for node in cluster.nodes.values().chain(cluster.nodes.values()) {
        operations.push(write(node, 7).await);
    }
    operations.dedup();
    assert_eq!(operations.len(), 1, "{operations:?}");
    assert_eq!(cluster.assert_equal_states().await.operations.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_share_entries() {
    let cluster = Cluster::of(3).await;
    let before = cluster.nodes[&1].status().last_index;
    let callers = (0..32).map(|caller| {
        let node = cluster.nodes[&(caller % 3 + 1)].clone();
        tokio::spawn(async move {
            for number in 0..10 {
                write(&node, caller * 1000 + number).await;
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    let state = cluster.assert_equal_states().await;
    assert_eq!(state.operations.len(), 320);
    let entries = cluster.nodes[&1].status().last_index - before;
    assert!(entries < 320, "{entries} entries for 320 commands");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_proposal_is_answered_whole_and_in_order() {
    let cluster = Cluster::of(1).await;
    let node = &cluster.nodes[&1];
    let replies = node.propose((0..600).map(request).collect()).await.unwrap();
    let operations: Vec<_> = replies
        .iter()
        .map(|reply| match reply {
            Reply::Accepted(operation) => *operation,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(operations.len(), 600);
    assert!(operations.is_sorted());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_told_and_time_goes_on() {
    let cluster = Cluster::of(1).await;
    let node = &cluster.nodes[&1];
    let mut changes = node.subscribe_changes();
    assert!(changes.changed().await.everything);
    let operation = write(node, 1).await;
    let dirty = changes.changed().await;
    assert!(!dirty.everything && dirty.changes.operations.contains(&operation), "{dirty:?}");
    assert!(node.now() >= node.state().state.time);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beats_reach_the_leader_under_the_senders_own_name() {
    let cluster = Cluster::of(3).await;
    let term = cluster.nodes[&cluster.leader().await].leadership().borrow().term;
    let follower = cluster.follower().await;
    let beat = |id| Beat { coordinator: CoordinatorId(id), process: 1, agents: Vec::new() };
    for (id, node) in &cluster.nodes {
        assert_eq!(node.beat(beat(*id)).await.unwrap().term, term);
    }
    let other = cluster.leader().await;
    assert!(cluster.nodes[&follower].beat(beat(other)).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coordinator_of_another_authority_is_not_heard() {
    let cluster = Cluster::of(1).await;
    let id = "test".parse().unwrap();
    let (foreign, _) = authorities(&id);
    let ask = async |issuers| {
        let client = PeerClient::new(Dialer::new(id.clone(), tls(issuers, CoordinatorId(2)).client));
        client.read_index(CoordinatorId(1), &cluster.node(1), super::harness::PATIENCE).await
    };
    assert_eq!(ask(&foreign).await.unwrap_err().kind(), ProposeErrorKind::NoLeader);
    assert!(ask(&cluster.issuers).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_only_reaches_the_coordinator_that_is_meant() {
    let cluster = Cluster::of(1).await;
    let dialer = Dialer::new("test".parse().unwrap(), tls(&cluster.issuers, CoordinatorId(2)).client);
    let wrong = PeerClient::new(dialer)
        .read_index(CoordinatorId(3), &cluster.node(1), super::harness::PATIENCE)
        .await;
    assert_eq!(wrong.unwrap_err().kind(), ProposeErrorKind::NoLeader);
}
