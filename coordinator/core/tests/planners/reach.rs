//! Which agents are dialled: those that should be there, are heard by nobody, and stand behind an account of ours.

use std::time::Duration;

use skep_core::plan::reach;
use skep_types::{ClusterTime, ConditionKind, ConditionStatus, CoordinatorId, Phase};

use crate::support::Cluster;
use crate::support::place::settled_swarm;

/// The hosts that the coordinator would dial, and how long each has been silent.
fn silent(cluster: &Cluster, coordinator: u64) -> Vec<(String, Duration)> {
    let mine = |owner: &skep_core::state::Owner| owner.coordinator == CoordinatorId(coordinator);
    reach::silent(&cluster.view(), mine)
        .map(|silent| (silent.host.name.to_string(), silent.silent_for))
        .collect()
}

fn owned() -> Cluster {
    let mut cluster = settled_swarm(1, 1);
    cluster.assign_owners();
    cluster
}

fn lose(cluster: &mut Cluster, name: &str, phase: Phase) {
    cluster.with_host(name, |host| {
        host.phase = phase;
        host.phase_since = ClusterTime(7);
        let lost = ConditionStatus::False;
        host.conditions.set(ConditionKind::AgentConnected, lost, "Silent", "", ClusterTime(9));
    });
}

#[test]
fn connected_hosts_are_left_alone() {
    assert_eq!(silent(&owned(), 1), []);
}

#[test]
fn a_silent_host_is_dialled_by_the_owner_of_its_account() {
    let mut cluster = owned();
    lose(&mut cluster, "s-worker-1", Phase::Ready);
    let silent_for = cluster.view().now.since(ClusterTime(9));
    assert_eq!(silent(&cluster, 1), [("s-worker-1".to_owned(), silent_for)]);
    assert_eq!(silent(&cluster, 2), []);
}

#[test]
fn only_where_an_agent_should_be() {
    let mut cluster = owned();
    for (phase, dialled) in [
        (Phase::Pending, false),
        (Phase::Booting, true),
        (Phase::Installing, true),
        (Phase::Joining, true),
        (Phase::Stopped, false),
        (Phase::Starting { intent: None }, true),
        (Phase::Leaving, true),
        (Phase::Deleting { intent: None }, false),
        (Phase::Quarantined { reason: String::new() }, false),
    ] {
        lose(&mut cluster, "s-worker-1", phase.clone());
        assert_eq!(!silent(&cluster, 1).is_empty(), dialled, "{phase:?}");
    }
    lose(&mut cluster, "s-worker-1", Phase::Booting);
    cluster.with_host("s-worker-1", |host| host.instance = None);
    assert_eq!(silent(&cluster, 1), [], "nobody knows where it is");
}

#[test]
fn one_that_was_dialled_is_known_for_it() {
    let mut cluster = owned();
    lose(&mut cluster, "s-worker-1", Phase::Ready);
    for dialled in [false, true] {
        cluster.with_host("s-worker-1", |host| host.session.as_mut().unwrap().dialled = dialled);
        let view = cluster.view();
        let known: Vec<bool> = reach::silent(&view, |_| true).map(|silent| silent.dialled_before).collect();
        assert_eq!(known, [dialled]);
    }
}
