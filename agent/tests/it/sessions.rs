//! Becoming known, staying connected, going elsewhere, and being dismissed.

use std::time::{Duration, Instant};

use skep_agent::Ended;
use skep_proto::agent::agent_message::Message;
use skep_proto::agent::coordinator_message::Message as ToAgent;
use skep_proto::agent::{Goodbye, LocalNodeState};

use crate::Agent;
use crate::coordinator::{Cluster, Heard};

fn goodbye(r#final: bool) -> ToAgent {
    ToAgent::Goodbye(Goodbye { reason: "test".to_owned(), r#final })
}

#[tokio::test]
async fn it_enrols_says_hello_reports_and_beats() {
    let mut cluster = Cluster::start(1);
    let _agent = Agent::start(&cluster);
    cluster.hear(|heard| (*heard == Heard::Enrol(0)).then_some(())).await;
    let (_, hello) = cluster.hello().await;
    assert_eq!((hello.session_number, hello.last_outcome), (1, None));
    assert_eq!(hello.boot_id.len(), 36);
    let mut beats = false;
    let report = cluster
        .hear(|heard| match heard.message()? {
            (_, Message::Report(report)) => Some(report.clone()),
            (_, Message::Heartbeat(beat)) => {
                beats = beat.wall_time_ms > 0;
                None
            }
            _ => None,
        })
        .await;
    assert!(report.engine.unwrap().ready);
    assert_eq!(report.node.unwrap().state(), LocalNodeState::Inactive);
    if !beats {
        cluster.hear(|heard| matches!(heard.message()?, (_, Message::Heartbeat(_))).then_some(())).await;
    }
}

#[tokio::test]
async fn a_restarted_agent_does_not_enrol_again() {
    let mut cluster = Cluster::start(1);
    let agent = Agent::start(&cluster);
    cluster.hello().await;
    let (engine, store) = agent.crash().await;
    let _agent = Agent::start_on(&cluster, engine, store);
    let number = cluster
        .hear(|heard| match (heard, heard.message()) {
            (Heard::Enrol(_), _) => Some(0),
            (_, Some((_, Message::Hello(hello)))) => Some(hello.session_number),
            _ => None,
        })
        .await;
    assert_eq!(number, 2);
}

#[tokio::test]
async fn the_coordinator_it_talks_to_is_killed_and_it_is_elsewhere_within_a_second() {
    let mut cluster = Cluster::start(2);
    let _agent = Agent::start(&cluster);
    let (first, _) = cluster.hello().await;
    cluster.kill(first);
    let killed = Instant::now();
    let (second, hello) = cluster.hello().await;
    assert_ne!(first, second);
    assert_eq!(hello.session_number, 2);
    assert!(killed.elapsed() < Duration::from_secs(1), "{:?}", killed.elapsed());
}

#[tokio::test]
async fn sent_away_it_goes_elsewhere() {
    let mut cluster = Cluster::start(2);
    let _agent = Agent::start(&cluster);
    let (first, _) = cluster.hello().await;
    cluster.send(goodbye(false));
    let (second, _) = cluster.hello().await;
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_final_goodbye_ends_it() {
    let mut cluster = Cluster::start(1);
    let agent = Agent::start(&cluster);
    cluster.hello().await;
    cluster.send(goodbye(true));
    assert_eq!(agent.ended().await, Ended::Dismissed { reason: "test".to_owned() });
}

#[tokio::test]
async fn a_shutdown_ends_it() {
    let mut cluster = Cluster::start(1);
    let agent = Agent::start(&cluster);
    cluster.hello().await;
    agent.shutdown.cancel();
    assert_eq!(agent.ended().await, Ended::Shutdown);
}
