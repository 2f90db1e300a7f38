//! On real logs: of a cluster that lost a coordinator, and of one whose disk breaks.

use std::sync::Arc;
use std::time::Duration;

use skep_core::command::{Command, MemberCommand, Reply, Request};
use skep_types::{ClusterTime, Digest};
use tokio::time::timeout;

use super::*;
use crate::raft::Disk;
use crate::raft::tests::disk::PowerDisk;
use crate::raft::tests::harness::{Cluster, PATIENCE, request, write};

const SECOND: CoordinatorId = CoordinatorId(2);

async fn ask(log: &RaftHandle, number: u64, wanted: Request) {
    let Command::Request(mut command) = request(number) else { panic!("it is a request") };
    command.request = wanted;
    let replies = log.propose(vec![Command::Request(command)]).await.unwrap();
    assert!(matches!(replies.as_slice(), [Reply::Accepted(_)]), "{replies:?}");
}

/// Gives the cluster a second coordinator, as far as its record goes.
async fn add_second(log: &RaftHandle) {
    let (token, key) = (Digest([7; 32]), Digest([8; 32]));
    let expires_at = ClusterTime(u64::MAX);
    ask(log, 1, Request::CreateJoinToken { token, expires_at }).await;
    let address = "control:2".to_owned();
    let redeem = MemberCommand::Redeem {
        token,
        raft_address: address.clone(),
        address,
        control_key: key,
        raft_key: key,
    };
    let replies = log.propose(vec![Command::Member(redeem)]).await.unwrap();
    assert_eq!(replies, [Reply::Joined(SECOND)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_removed_stops_and_says_so() {
    let cluster = Cluster::of(1).await;
    let log = &cluster.nodes[&1];
    let stop = CancellationToken::new();
    // Before its record is there: it has just joined, and learns.
    let watch = EndWatch::start(log, SECOND, &stop);
    add_second(log).await;
    let stays = EndWatch::start(log, CoordinatorId(1), &stop);
    assert!(!stop.is_cancelled());
    ask(log, 2, Request::RemoveCoordinator { coordinator: SECOND }).await;
    timeout(PATIENCE, stop.cancelled()).await.expect("it stops by itself");
    let cause = watch.cause().await;
    assert!(matches!(&cause, Some(RunError::Removed(why)) if why.contains("c2")), "{cause:?}");
    assert!(stays.cause().await.is_none(), "only the one that was removed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_was_removed_and_forgotten_stops_too() {
    let state = State { last_coordinator: 3, ..State::default() };
    let verdicts = [1, 3, 4].map(|id| removed(&state, CoordinatorId(id)));
    assert_eq!(verdicts, [true, true, false], "ids up to the last were given out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_whose_log_failed_stops_and_says_why() {
    let disk = PowerDisk::default();
    let cluster = Cluster::on(1, |_| {}, |_| Arc::new(disk.clone()) as Arc<dyn Disk>).await;
    let log = &cluster.nodes[&1];
    let stop = CancellationToken::new();
    let watch = EndWatch::start(log, CoordinatorId(1), &stop);
    write(log, 1).await;
    assert!(!stop.is_cancelled());
    disk.fail();
    // Whatever becomes of it: nobody is told that it was written.
    let refused = log.propose(vec![request(2)]).await;
    assert!(refused.is_err(), "{refused:?}");
    timeout(PATIENCE, stop.cancelled()).await.expect("it stops by itself");
    let cause = watch.cause().await;
    assert!(matches!(&cause, Some(RunError::Log(why)) if why.contains("the disk is broken")), "{cause:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_told_to_stop_has_no_cause() {
    let cluster = Cluster::of(1).await;
    let stop = CancellationToken::new();
    let watch = EndWatch::start(&cluster.nodes[&1], CoordinatorId(1), &stop);
    stop.cancel();
    let cause = timeout(Duration::from_secs(5), watch.cause()).await.expect("it ends at once");
    assert!(cause.is_none(), "{cause:?}");
}
