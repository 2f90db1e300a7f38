//! All coordinators lost at once, and started again: nothing is lost, nothing is made or deleted.

use std::collections::BTreeMap;

use skep_coordinator::raft::Published;
use skep_tests::inprocess::{Rest, create};

use super::three;

/// Every host with its instance.
fn bound(state: &Published) -> BTreeMap<String, Option<String>> {
    let provider_id =
        |host: &skep_core::state::Host| host.instance.as_ref().map(|it| it.instance.provider_id.to_string());
    state.hosts.values().map(|host| (host.id.to_string(), provider_id(host))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_all_are_killed_at_once() {
    let cluster = three().await;
    let asked = cluster.create(create("web", 6)).await.unwrap();
    let before = cluster.at_rest().await.unwrap();
    let ids = cluster.ids();
    futures::future::join_all(ids.iter().map(|id| cluster.crash(*id))).await;
    assert!(cluster.running().is_empty());
    for id in &ids {
        cluster.restart(*id).await.unwrap();
    }
    cluster.leader().await.unwrap();
    let connected = |state: &Published| {
        state.hosts.len() == 6 && state.hosts.values().all(|host| host.connected() && host.session.is_some())
    };
    cluster.until("agents return", connected).await.unwrap();
    let after = cluster.at_rest().await.unwrap();
    assert_eq!(bound(&after), bound(&before));
    assert_eq!(Rest::of(&cluster, &after).unwrap().ready.len(), 6);
    assert_eq!(cluster.world.sim.instances().len(), 6);
    let again = cluster.create(create("web", 6)).await.unwrap();
    assert_eq!(again.id, asked.id);
}
