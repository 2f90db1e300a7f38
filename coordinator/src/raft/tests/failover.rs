//! Leaders that go.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use skep_types::CoordinatorId;

use super::harness::{Cluster, request, write};
use crate::raft::ProposeErrorKind;

/// What the design promises; a few hundred milliseconds are usual.
const FAILOVER: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_leader_was_killed_the_next_write_is_acknowledged_soon() {
    let mut cluster = Cluster::of(3).await;
    for round in 0..3 {
        let leader = cluster.leader().await;
        let survivor = cluster.follower().await;
        cluster.kill(leader).await;
        let killed = Instant::now();
        write(&cluster.nodes[&survivor], round).await;
        let gap = killed.elapsed();
        println!("round {round}: {} ms to the next acknowledged write", gap.as_millis());
        assert!(gap < FAILOVER, "{gap:?}");
        cluster.start(leader).await.unwrap();
    }
    assert_eq!(cluster.assert_equal_states().await.operations.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_is_told_of_a_follower_that_was_killed() {
    let mut cluster = Cluster::of(3).await;
    let killed = cluster.follower().await;
    let mut out_of_touch = cluster.out_of_touch.subscribe();
    cluster.out_of_touch.send_replace(BTreeSet::new());
    cluster.kill(killed).await;
    let told = out_of_touch.wait_for(|lost| lost.contains(&CoordinatorId(killed)));
    tokio::time::timeout(super::harness::PATIENCE, told).await.expect("waited too long").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leadership_is_handed_over_on_request_and_at_a_graceful_end() {
    let mut cluster = Cluster::of(3).await;
    let (first, second) = handed_over(&cluster).await;
    let started = Instant::now();
    cluster.nodes.remove(&second).unwrap().shutdown().await;
    write(&cluster.nodes[&first], 1).await;
    println!("{} ms to end and go on", started.elapsed().as_millis());
    assert_ne!(cluster.leader().await, second);
}

/// From whom to whom. A busy machine may take some tries.
async fn handed_over(cluster: &Cluster) -> (u64, u64) {
    let trying = async {
        loop {
            let before = cluster.leader().await;
            let moved = cluster.nodes[&before].transfer_leadership(None).await;
            let after = cluster.leader().await;
            if moved.is_ok() && before != after {
                return (before, after);
            }
        }
    };
    tokio::time::timeout(super::harness::PATIENCE, trying).await.expect("waited too long")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leadership_moves_when_a_follower_is_asked() {
    let cluster = Cluster::of(3).await;
    let trying = async {
        loop {
            let (leader, asked) = (cluster.leader().await, cluster.follower().await);
            let to = CoordinatorId(6 - leader - asked);
            // A busy machine may take some tries.
            if cluster.nodes[&asked].move_leadership(Some(to)).await.ok() == Some(to) {
                return (asked, to);
            }
        }
    };
    let (asked, to) = tokio::time::timeout(super::harness::PATIENCE, trying).await.expect("waited too long");
    let again = cluster.nodes[&asked].move_leadership(Some(to)).await;
    assert_eq!(again.ok(), Some(to), "to the one that leads already");
    write(&cluster.nodes[&asked], 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_without_a_majority_says_so() {
    let mut cluster = Cluster::tuned(3, |config| config.patience = Duration::from_millis(500)).await;
    let leader = cluster.leader().await;
    for id in [1, 2, 3] {
        if id != leader {
            cluster.kill(id).await;
        }
    }
    let node = &cluster.nodes[&leader];
    let mut leadership = node.leadership();
    let alone = leadership.wait_for(|leadership| leadership.leader.is_none() && !leadership.leading);
    tokio::time::timeout(super::harness::PATIENCE, alone).await.unwrap().unwrap();
    let refused = node.propose(vec![request(1)]).await.unwrap_err();
    assert_eq!(refused.kind(), ProposeErrorKind::NoLeader);
    assert!(node.read().await.is_err());
}
