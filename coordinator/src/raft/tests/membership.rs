//! Nodes that come and go.

use skep_types::CoordinatorId;

use super::harness::{Cluster, write};
use crate::raft::Node;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn adding_and_removing_can_be_repeated() {
    let mut cluster = Cluster::of(3).await;
    let leader = cluster.leader().await;
    let other = CoordinatorId(cluster.follower().await);
    let node = cluster.nodes[&leader].clone();
    node.add_voter(other, cluster.node(other.0)).await.unwrap();
    for _ in 0..2 {
        node.remove_voter(other).await.unwrap();
    }
    let members = node.status().members;
    assert_eq!(members.len(), 2, "{members:?}");
    assert!(members.iter().all(|member| member.voter && member.id != other));
    cluster.kill(other.0).await;
    write(&node, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_brought_up_to_date() {
    let cluster = Cluster::of(3).await;
    let leader = &cluster.nodes[&cluster.leader().await];
    let follower = CoordinatorId(cluster.follower().await);
    let moved = Node { address: "elsewhere:1".into(), ..cluster.node(follower.0) };
    leader.add_voter(follower, moved.clone()).await.unwrap();
    let member = leader.status().members.into_iter().find(|member| member.id == follower).unwrap();
    assert_eq!((member.node, member.voter), (moved, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_leader_changes_members() {
    let cluster = Cluster::of(2).await;
    let follower = &cluster.nodes[&cluster.follower().await];
    assert!(follower.remove_voter(CoordinatorId(1)).await.is_err());
}
