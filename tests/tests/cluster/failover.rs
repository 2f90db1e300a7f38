//! A coordinator is lost: writes go on, requests are the same everywhere, and accounts move.

use std::time::{Duration, Instant};

use futures::FutureExt;
use skep_driver::Method;
use skep_proto::v1 as pb;
use skep_tests::inprocess::{Around, InProcess, Moment, Rest, create, eventually, mutation};
use tokio::sync::mpsc;

use super::three;

/// What the project promises after the loss of its leader.
const NEXT_WRITE: Duration = Duration::from_secs(3);
/// A hand-over costs a few round trips, on a busy machine too.
const HAND_OVER: Duration = Duration::from_millis(1500);

/// One after the other: they go on for longer than the hand-over.
const WRITES: u32 = 60;

/// A write, acknowledged by whichever coordinator answers; how long it took.
async fn write(cluster: &InProcess, number: u32) -> Duration {
    let started = Instant::now();
    let name = format!("person-{number}");
    let request = pb::PutPersonRequest {
        mutation: mutation(&name),
        name,
        role: pb::PersonRole::Viewer.into(),
        dismiss_certificates: false,
    };
    cluster
        .operator()
        .unwrap()
        .ask(async |c| c.cluster.clone().put_person(request.clone()).await)
        .await
        .unwrap();
    started.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_is_acknowledged_soon_after_the_leader_is_lost() {
    let cluster = three().await;
    write(&cluster, 0).await;
    for number in 1..=5 {
        let leader = cluster.leader().await.unwrap();
        let crashed = Instant::now();
        cluster.crash(leader).await;
        write(&cluster, number).await;
        let gap = crashed.elapsed();
        skep_tests::print(&format!("next write {gap:.0?} after the leader was lost"));
        assert!(gap < NEXT_WRITE, "{gap:?}");
        cluster.restart(leader).await.unwrap();
        let people = cluster.settled().await.unwrap().into_iter().map(|state| state.people.len());
        assert!(people.into_iter().all(|count| count == number as usize + 2), "a write was lost");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leadership_moves_whichever_coordinator_is_asked() {
    let cluster = three().await;
    let operator = cluster.operator().unwrap();
    for asked in cluster.ids() {
        let leader = cluster.leader().await.unwrap();
        let to = *cluster.ids().iter().rev().find(|id| **id != leader).unwrap();
        let coordinator = format!("c{to}");
        let request = pb::TransferLeadershipRequest { coordinator: coordinator.clone() };
        let mut at = operator.at(asked).unwrap();
        // A busy machine may take some tries.
        for last in [false, false, true] {
            let reply = at.cluster.transfer_leadership(request.clone()).await;
            match reply {
                Ok(reply) if reply.get_ref().leader == coordinator => break,
                reply => assert!(!last, "c{asked} does not move it to {coordinator}: {reply:?}"),
            }
        }
        eventually("it leads", || cluster.leader_now().filter(|leader| *leader == to)).await.unwrap();
    }
    let request = pb::TransferLeadershipRequest { coordinator: "c9".to_owned() };
    let refused = operator.at(1).unwrap().cluster.transfer_leadership(request).await.unwrap_err();
    assert!(refused.message().contains("is no voter"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_stops_in_order_hands_over() {
    let cluster = three().await;
    write(&cluster, 0).await;
    let leader = cluster.leader().await.unwrap();
    let writing = async {
        let mut longest = Duration::ZERO;
        for number in 1..=WRITES {
            longest = longest.max(write(&cluster, number).await);
        }
        longest
    };
    let (stopped, longest) = tokio::join!(cluster.stop(leader), writing);
    stopped.unwrap();
    skep_tests::print(&format!("longest of {WRITES} writes around a hand-over {longest:.0?}"));
    assert!(longest < HAND_OVER, "{longest:?}");
    assert_ne!(cluster.leader().await.unwrap(), leader);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_is_the_same_operation_on_any_coordinator_after_any_failover() {
    let cluster = three().await;
    let leader = cluster.leader().await.unwrap();
    let follower = cluster.ids().into_iter().find(|id| *id != leader).unwrap();
    let operator = cluster.operator().unwrap();
    let request = create("web", 3);
    let asked = operator.at(follower).unwrap().hosts.create(request.clone()).await.unwrap().into_inner();
    cluster.finished(&asked.id).await.unwrap();
    cluster.crash(leader).await;
    cluster.leader().await.unwrap();
    for id in cluster.running() {
        let again = operator.at(id).unwrap().hosts.create(request.clone()).await.unwrap().into_inner();
        assert_eq!(again.id, asked.id);
    }
    let other = pb::CreateHostsRequest { count: 4, ..request };
    let refused = operator.ask(async |c| c.hosts.clone().create(other.clone()).await).await.unwrap_err();
    assert!(refused.message().contains("request_id"), "{refused:?}");
    let rest = Rest::of(&cluster, &cluster.at_rest().await.unwrap()).unwrap();
    assert_eq!(rest.ready.len(), 3);
    assert_eq!(cluster.world.sim.instances().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_moves_when_its_owner_is_lost_in_the_middle_of_a_create() {
    let cluster = three().await;
    let (told, mut calls) = mpsc::unbounded_channel();
    cluster.stops.set(move |event| {
        let told = told.clone();
        async move {
            if event.moment == Moment::Call(Method::Ensure, Around::After)
                && told.send(event.coordinator).is_ok()
            {
                std::future::pending::<()>().await;
            }
        }
        .boxed()
    });
    let operator = cluster.operator().unwrap();
    let request = create("web", 3);
    let asked = operator.ask(async |c| c.hosts.clone().create(request.clone()).await).await.unwrap();
    let owner = calls.recv().await.unwrap();
    cluster.stops.clear();
    cluster.crash(owner).await;
    cluster.finished(&asked.id).await.unwrap();
    let now = eventually("a new owner", || cluster.owner_now()).await.unwrap();
    assert_ne!(now, owner);
    let rest = Rest::of(&cluster, &cluster.at_rest().await.unwrap()).unwrap();
    assert_eq!(rest.ready.len(), 3);
    assert_eq!(cluster.world.sim.instances().len(), 3);
}
