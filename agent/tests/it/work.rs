//! Assignments: once each, one at a time, and what came of them told until it is heard.

use std::sync::Arc;

use skep_agent::LocalState;
use skep_proto::agent as pb;
use skep_proto::agent::assignment::Work;
use skep_proto::agent::coordinator_message::Message as ToAgent;
use skep_proto::agent::permit_outcome::Outcome;

use crate::Agent;
use crate::coordinator::Cluster;
use crate::engine::FakeEngine;

fn assignment(permit: &str, work: Work) -> pb::Assignment {
    pb::Assignment { permit_id: permit.to_owned(), traceparent: String::new(), work: Some(work) }
}

fn init() -> Work {
    Work::Init(pb::SwarmInit { advertise_address: "10.0.0.1".to_owned() })
}

fn join() -> Work {
    Work::Join(pb::SwarmJoin {
        managers: vec!["10.0.0.1:2377".to_owned()],
        token: "SWMTKN".to_owned(),
        advertise_address: "10.0.0.2".to_owned(),
        swarm_id: "swarm".to_owned(),
    })
}

fn remove(node: &str) -> Work {
    Work::RemoveNodes(pb::RemoveNodes { node_ids: vec![node.to_owned()], force: true })
}

fn done(outcome: &pb::PermitOutcome) -> &pb::Done {
    match outcome.outcome.as_ref().unwrap() {
        Outcome::Done(done) => done,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn done_once_and_told_again_after_a_reconnect() {
    let mut cluster = Cluster::start(1);
    cluster.behave(|behaviour| behaviour.assignment = Some(assignment("p1-1", init())));
    let agent = Agent::start(&cluster);
    let first = cluster.outcome().await;
    assert_eq!(done(&first).worker_token, "SWMTKN");
    cluster.end_streams();
    let (_, hello) = cluster.hello().await;
    assert_eq!(hello.last_outcome.as_ref(), Some(&first));
    // The assignment came again with the second session, and so does the answer.
    assert_eq!(cluster.outcome().await, first);
    assert_eq!(agent.engine.acts(), ["init 10.0.0.1"]);
}

#[tokio::test]
async fn an_outcome_survives_a_crash() {
    let mut cluster = Cluster::start(1);
    let agent = Agent::start(&cluster);
    cluster.hello().await;
    cluster.send(ToAgent::Assignment(assignment("p1-1", join())));
    let first = cluster.outcome().await;
    assert_eq!((done(&first).node_id.as_str(), done(&first).swarm_id.as_str()), ("n2", "swarm"));
    let (engine, store) = agent.crash().await;
    let agent = Agent::start_on(&cluster, engine, store);
    assert_eq!(cluster.hello().await.1.last_outcome, Some(first));
    assert_eq!(agent.engine.acts().len(), 1);
}

#[tokio::test]
async fn after_a_crash_in_the_middle_it_looks_before_it_does() {
    let mut cluster = Cluster::start(1);
    cluster.behave(|behaviour| behaviour.assignment = Some(assignment("p1-1", join())));
    let agent = Agent::start_on(&cluster, Arc::new(FakeEngine::held()), Default::default());
    agent.engine.until_acted(1).await;
    let (engine, store) = agent.crash().await;
    cluster.hello().await;
    let agent = Agent::start_on(&cluster, engine, store);
    let (_, hello) = cluster.hello().await;
    assert!(matches!(hello.last_outcome.unwrap().outcome, Some(Outcome::InProgress(_))));
    assert_eq!(done(&cluster.outcome().await).node_id, "n2");
    assert_eq!(agent.engine.acts(), ["join 10.0.0.2"]);
}

#[tokio::test]
async fn one_at_a_time_and_the_newest_first() {
    let mut cluster = Cluster::start(1);
    let agent = Agent::start_on(&cluster, Arc::new(FakeEngine::held()), Default::default());
    cluster.hello().await;
    cluster.send(ToAgent::Assignment(assignment("p1-1", remove("a"))));
    agent.engine.until_acted(1).await;
    cluster.send(ToAgent::Assignment(assignment("p1-2", remove("b"))));
    cluster.send(ToAgent::Assignment(assignment("p1-3", remove("c"))));
    // A session later both have certainly been received.
    cluster.end_streams();
    cluster.hello().await;
    assert_eq!(agent.engine.acts(), ["remove a"]);
    agent.engine.release();
    agent.engine.until_acted(2).await;
    assert_eq!(agent.engine.acts(), ["remove a", "remove c"]);
}

#[tokio::test]
async fn an_older_permit_is_not_done_after_a_newer_one() {
    let mut cluster = Cluster::start(1);
    let agent = Agent::start(&cluster);
    cluster.hello().await;
    for permit in ["p1-2", "p1-1", "p1-3"] {
        cluster.send(ToAgent::Assignment(assignment(permit, remove(permit))));
        if permit != "p1-1" {
            cluster.outcome().await;
        }
    }
    assert_eq!(agent.engine.acts(), ["remove p1-2", "remove p1-3"]);
}

#[tokio::test]
async fn a_join_that_hangs_is_told_as_in_progress_and_decided_by_the_engines_state() {
    let mut cluster = Cluster::start(1);
    let agent = Agent::start(&cluster);
    cluster.hello().await;
    agent.engine.join_ends(LocalState::Pending, Err("time-out was reached"));
    cluster.send(ToAgent::Assignment(assignment("p1-1", join())));
    let told = cluster.outcome().await;
    assert!(matches!(told.outcome, Some(Outcome::InProgress(_))), "{told:?}");
    agent.engine.set_state(LocalState::Active);
    assert_eq!(done(&cluster.outcome().await).node_id, "n2");
    assert_eq!(agent.engine.acts().len(), 1);
}

#[tokio::test]
async fn a_refused_join_is_not_done_and_says_why_without_the_token() {
    let mut cluster = Cluster::start(1);
    let agent = Agent::start(&cluster);
    cluster.hello().await;
    agent.engine.join_ends(LocalState::Inactive, Err("SWMTKN is not a token"));
    cluster.send(ToAgent::Assignment(assignment("p1-1", join())));
    match cluster.outcome().await.outcome {
        Some(Outcome::NotDone(told)) => assert_eq!(told.message, "[redacted] is not a token"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_hanging_join_gives_way_to_a_leave() {
    let mut cluster = Cluster::start(1);
    let agent = Agent::start(&cluster);
    cluster.hello().await;
    agent.engine.join_ends(LocalState::Pending, Err("time-out was reached"));
    cluster.send(ToAgent::Assignment(assignment("p1-1", join())));
    cluster.outcome().await;
    cluster.send(ToAgent::Assignment(assignment("p1-2", Work::Leave(pb::SwarmLeave { force: true }))));
    let left = cluster.outcome().await;
    assert_eq!(left.permit_id, "p1-2");
    done(&left);
}
