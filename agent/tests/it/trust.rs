//! Certificates: refused, renewed, expired, and of somebody else's cluster.

use std::time::Duration;

use skep_agent::{IdentityRecord, MemoryStore, Record, Store};
use skep_proto::agent as pb;
use tokio::time::{sleep, timeout};

use crate::Agent;
use crate::coordinator::{Cluster, Heard};

async fn identity(store: &MemoryStore) -> IdentityRecord {
    let record = store.read(Record::Identity).await.unwrap().unwrap();
    serde_json::from_slice(&record).unwrap()
}

async fn until(store: &MemoryStore, condition: impl Fn(&IdentityRecord) -> bool) {
    let looks = async {
        while !condition(&identity(store).await) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(crate::PATIENCE, looks).await.unwrap();
}

#[tokio::test]
async fn a_refused_token_is_tried_again_and_again() {
    let mut cluster = Cluster::start(1);
    cluster.behave(|behaviour| behaviour.refuse_enrolment = true);
    let _agent = Agent::start(&cluster);
    for _ in 0..3 {
        cluster.hear(|heard| (*heard == Heard::Enrol(0)).then_some(())).await;
    }
    cluster.behave(|behaviour| behaviour.refuse_enrolment = false);
    cluster.hello().await;
}

#[tokio::test]
async fn a_certificate_is_renewed_without_ending_the_session() {
    let mut cluster = Cluster::start(1);
    cluster.behave(|behaviour| behaviour.renew_after = Duration::from_millis(500));
    let agent = Agent::start(&cluster);
    cluster.hello().await;
    let before = identity(&agent.store).await;
    cluster.behave(|behaviour| behaviour.renew_after = Duration::from_secs(3600));
    cluster.hear(|heard| (*heard == Heard::Renew(0)).then_some(())).await;
    until(&agent.store, |identity| identity.certificate != before.certificate).await;
    // Whatever was heard meanwhile, it was the same session: the next one is the second.
    cluster.end_streams();
    assert_eq!(cluster.hello().await.1.session_number, 2);
}

#[tokio::test]
async fn a_host_with_another_address_is_certified_for_it_at_once() {
    let mut cluster = Cluster::start(1);
    let addresses = |last: &[&str]| last.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (before, after) = (addresses(&["10.0.0.7"]), addresses(&["10.0.0.7", "203.0.113.5"]));
    cluster.behave(|behaviour| behaviour.host_addresses.clone_from(&before));
    let agent = Agent::start(&cluster);
    cluster.hello().await;
    let first = identity(&agent.store).await;
    assert_eq!(first.addresses, before);
    cluster.behave(|behaviour| behaviour.host_addresses.clone_from(&after));
    cluster.welcome();
    cluster.hear(|heard| (*heard == Heard::Renew(0)).then_some(())).await;
    until(&agent.store, |identity| identity.addresses == after).await;
    assert_ne!(identity(&agent.store).await.docker_certificate, first.docker_certificate);
    // Once is enough, in this session and in the next.
    cluster.welcome();
    cluster.end_streams();
    let next = cluster.hear(|heard| {
        assert_ne!(*heard, Heard::Renew(0));
        let (_, message) = heard.message()?;
        matches!(message, pb::agent_message::Message::Hello(hello) if hello.session_number == 2).then_some(())
    });
    next.await;
}

#[tokio::test]
async fn a_refused_certificate_is_renewed_first() {
    let mut cluster = Cluster::start(1);
    let agent = Agent::start(&cluster);
    cluster.hello().await;
    let (engine, store) = agent.crash().await;
    cluster.behave(|behaviour| behaviour.refuse_session = true);
    let _agent = Agent::start_on(&cluster, engine, store);
    cluster.hear(|heard| (*heard == Heard::Renew(0)).then_some(())).await;
    cluster.hello().await;
}

#[tokio::test]
async fn a_coordinator_of_another_cluster_is_not_even_asked() {
    let (mut cluster, mut other) = (Cluster::start(1), Cluster::start(1));
    let mut config = crate::config(&cluster);
    config.coordinators = other.addresses().into_iter().chain(cluster.addresses()).collect();
    let _agent = Agent::start_with(config, Default::default(), Default::default());
    cluster.hello().await;
    assert!(other.heard_nothing_at_all());
}
