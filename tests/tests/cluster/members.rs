//! Coordinators that join, late ones too, and tokens that are no good.

use std::time::Duration;

use skep_coordinator::join::JoinError;
use skep_coordinator::run::RunError;
use skep_proto::v1 as pb;
use skep_tests::inprocess::{InProcess, Setup, create, mutation};

use super::{one, three};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_coordinators_vote_and_have_equal_states() {
    let cluster = three().await;
    cluster.create(create("web", 5)).await.unwrap();
    assert_equal(&cluster).await;
    let members = cluster.log(cluster.leader().await.unwrap()).unwrap().status().members;
    assert_eq!(members.iter().filter(|member| member.voter).count(), 3);
}

/// Waits for the same entry on all, then compares everything.
async fn assert_equal(cluster: &InProcess) {
    for _ in 0..100 {
        let states = cluster.settled().await.unwrap();
        let same_entry = states.windows(2).all(|pair| pair[0].applied_index == pair[1].applied_index);
        if same_entry {
            assert!(states.windows(2).all(|pair| pair[0].state == pair[1].state), "the states differ");
            return;
        }
    }
    panic!("the coordinators were never at the same entry");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_coordinator_learns_from_a_snapshot() {
    let setup = Setup { coordinators: 2, snapshot_every: 20, ..Setup::default() };
    let mut cluster = InProcess::start(setup).await.unwrap();
    for number in 0..8 {
        cluster.create(create(&format!("web{number}"), 4)).await.unwrap();
    }
    let leader = cluster.leader().await.unwrap();
    assert!(cluster.log(leader).unwrap().status().snapshot_index > 0, "no snapshot was made");
    let late = cluster.join_one_more().await.unwrap();
    assert_equal(&cluster).await;
    assert_eq!(cluster.state_of(late).unwrap().hosts.len(), 32);
    cluster.crash(late).await;
    cluster.create(create("more", 4)).await.unwrap();
    cluster.restart(late).await.unwrap();
    assert_equal(&cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_good_once() {
    let cluster = one().await;
    let token = cluster.join_token("twice").await.unwrap();
    cluster.try_to_join(token.clone()).await.unwrap().unwrap();
    let refused = cluster.try_to_join(token).await.unwrap().unwrap_err();
    assert!(matches!(refused, JoinError::Refused(_)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_expires() {
    let cluster = one().await;
    let token = cluster.join_token("late").await.unwrap();
    cluster.clock.put_forward(Duration::from_secs(16 * 60));
    let refused = cluster.try_to_join(token).await.unwrap().unwrap_err();
    assert!(
        matches!(&refused, JoinError::Refused(status) if status.message().contains("expired")),
        "{refused:?}"
    );
    assert_eq!(cluster.newest().unwrap().coordinators.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_clusters_token_and_certificate_are_worth_nothing() {
    let (ours, theirs) = (one().await, one().await);
    let token = theirs.join_token("theirs").await.unwrap();
    let refused = ours.try_to_join(token).await.unwrap().unwrap_err();
    assert!(matches!(refused, JoinError::Connect { .. }), "{refused:?}");
    let stranger = theirs.operator().unwrap().calling(&ours.operator().unwrap());
    let mut clients = stranger.at(1).unwrap();
    clients.hosts.create(create("web", 1)).await.unwrap_err();
    let state = ours.newest().unwrap();
    assert!(state.hosts.is_empty() && state.operations.values().all(|op| op.subject != "web"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coordinator_that_is_removed_ends_and_says_why() {
    let cluster = three().await;
    let leader = cluster.leader().await.unwrap();
    let going = *cluster.ids().iter().find(|id| **id != leader).unwrap();
    let request =
        pb::RemoveCoordinatorRequest { mutation: mutation("remove"), coordinator: format!("c{going}") };
    let operator = cluster.operator().unwrap();
    operator.ask(async |c| c.cluster.clone().remove_coordinator(request.clone()).await).await.unwrap();
    let why = cluster.ends(going).await.unwrap();
    assert!(matches!(&why, RunError::Removed(text) if text.contains(&request.coordinator)), "{why}");
    cluster.create(create("web", 2)).await.unwrap();
}
