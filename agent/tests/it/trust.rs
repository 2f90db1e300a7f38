//! Certificates: refused, renewed, expired, and of somebody else's cluster.

use std::time::Duration;

use skep_agent::{IdentityRecord, MemoryStore, Record, Store};

use tokio::time::{sleep, timeout};

use crate::Agent;
use crate::coordinator::{Cluster, Heard};

async fn certificate(store: &MemoryStore) -> String {
    let record = store.read(Record::Identity).await.unwrap().unwrap();
    serde_json::from_slice::<IdentityRecord>(&record).unwrap().certificate
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
    let before = certificate(&agent.store).await;
    cluster.behave(|behaviour| behaviour.renew_after = Duration::from_secs(3600));
    cluster.hear(|heard| (*heard == Heard::Renew(0)).then_some(())).await;
    let renewed = async {
        while certificate(&agent.store).await == before {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(crate::PATIENCE, renewed).await.unwrap();
    // Whatever was heard meanwhile, it was the same session: the next one is the second.
    cluster.end_streams();
    assert_eq!(cluster.hello().await.1.session_number, 2);
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
