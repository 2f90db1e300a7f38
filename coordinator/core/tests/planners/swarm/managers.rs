//! One change of managers at a time, and never the quorum.

use std::sync::Arc;

use skep_core::state::SwarmNode;
use skep_types::{FailureClass, NodeRole, Phase};

use super::{going, grants, list, node, roles};
use crate::support::Cluster;
use crate::support::place::{manager_node, permit, settled_swarm, worker_node};

/// `names` wait for their promotion in a swarm that is settled otherwise.
fn to_promote(names: &[&str]) -> Cluster {
    let mut cluster = settled_swarm(5, 1);
    for name in names {
        cluster.with_host(name, |host| host.phase = Phase::Joining);
        list(&mut cluster, name, worker_node());
    }
    cluster
}

#[test]
fn managers_are_promoted_one_at_a_time() {
    let mut cluster = to_promote(&["s-manager-2", "s-manager-3"]);
    let second = node(&cluster, "s-manager-2");
    assert_eq!(roles(&cluster), [("s-manager-1".to_owned(), second, NodeRole::Manager)]);
    let promoted = SwarmNode { role: Some(NodeRole::Manager), ..worker_node() };
    list(&mut cluster, "s-manager-2", promoted);
    assert_eq!(roles(&cluster), [], "the first is under way");
    list(&mut cluster, "s-manager-2", manager_node(false));
    assert_eq!(roles(&cluster).len(), 1);
}

#[test]
fn the_next_manager_comes_from_where_the_fewest_are() {
    let mut cluster = to_promote(&["s-manager-2", "s-manager-3"]);
    for (name, zone) in [("s-manager-1", "a"), ("s-manager-2", "a"), ("s-manager-3", "b")] {
        let change = |host: &mut skep_core::state::Host| {
            if let Some(instance) = &mut host.instance {
                instance.zone = zone.to_owned();
            }
        };
        cluster.with_host(name, change);
    }
    let third = node(&cluster, "s-manager-3");
    assert_eq!(roles(&cluster), [("s-manager-1".to_owned(), third, NodeRole::Manager)]);
}

/// Zones are a provider's own words: what is called alike in two accounts, or nothing, is not one place.
#[test]
fn accounts_are_lost_apart_whatever_their_zones_are_called() {
    for zone in ["a", ""] {
        let mut cluster = to_promote(&["s-manager-2", "s-manager-3"]);
        for (name, account) in [("s-manager-1", "lab"), ("s-manager-2", "lab"), ("s-manager-3", "office")] {
            cluster.with_host(name, |host| {
                Arc::make_mut(&mut host.template).account = account.parse().unwrap();
                if let Some(instance) = &mut host.instance {
                    instance.zone = zone.to_owned();
                }
            });
        }
        let third = node(&cluster, "s-manager-3");
        assert_eq!(roles(&cluster), [("s-manager-1".to_owned(), third, NodeRole::Manager)], "{zone:?}");
    }
}

#[test]
fn a_permit_that_may_be_changing_a_role_is_waited_for() {
    let mut cluster = to_promote(&["s-manager-2", "s-manager-3"]);
    let Some((by, task)) = grants(&cluster).pop() else { panic!("nothing is granted") };
    cluster.with_host(&by, |host| host.permit = Some(permit(task)));
    assert_eq!(grants(&cluster), []);
}

#[test]
fn add_comes_before_remove() {
    let mut cluster = to_promote(&["s-manager-2"]);
    going(&mut cluster, "s-manager-4", Phase::Demoting);
    let second = node(&cluster, "s-manager-2");
    assert_eq!(roles(&cluster), [("s-manager-1".to_owned(), second, NodeRole::Manager)]);
}

#[test]
fn the_leader_is_demoted_last_and_by_another() {
    let mut cluster = settled_swarm(3, 0);
    going(&mut cluster, "s-manager-1", Phase::Demoting);
    going(&mut cluster, "s-manager-2", Phase::Demoting);
    let second = node(&cluster, "s-manager-2");
    assert_eq!(roles(&cluster), [("s-manager-3".to_owned(), second, NodeRole::Worker)]);
    list(&mut cluster, "s-manager-2", worker_node());
    let first = node(&cluster, "s-manager-1");
    assert_eq!(roles(&cluster), [("s-manager-3".to_owned(), first, NodeRole::Worker)]);
}

/// All, and of them down: may another one that answers be demoted, and one that does not?
#[test]
fn a_demotion_keeps_the_quorum() {
    let table = [
        (3, 0, true, true),
        (3, 1, false, true),
        (5, 1, true, true),
        (5, 2, false, true),
        (3, 2, false, false),
        (1, 0, false, false),
    ];
    for (all, down, an_answering_one, a_silent_one) in table {
        let mut cluster = settled_swarm(all, 1);
        for number in 0..down {
            let name = format!("s-manager-{}", all - number);
            list(&mut cluster, &name, SwarmNode { reachable: false, ..manager_node(false) });
        }
        let first = node(&cluster, "s-manager-1");
        let last = node(&cluster, &format!("s-manager-{all}"));
        assert_eq!(cluster.swarm().survives_removal_of(&first), an_answering_one, "{down} of {all} down");
        if down > 0 {
            assert_eq!(cluster.swarm().survives_removal_of(&last), a_silent_one, "{down} of {all} down");
        }
    }
}

/// As long as it stands, no other change of managers could begin.
#[test]
fn a_promotion_that_came_to_nothing_is_taken_back() {
    let promoted =
        SwarmNode { role: Some(NodeRole::Manager), state: skep_types::NodeState::Down, ..worker_node() };
    let failed = Phase::Failed { class: FailureClass::Join, message: String::new() };
    for phase in [failed, Phase::Demoting] {
        let mut cluster = to_promote(&["s-manager-2", "s-manager-3"]);
        list(&mut cluster, "s-manager-2", promoted.clone());
        assert_eq!(roles(&cluster), [], "it may come yet");
        let absent = phase == Phase::Demoting;
        cluster.with_host("s-manager-2", |host| {
            host.phase = phase;
            host.desired.absent = absent;
        });
        let second = node(&cluster, "s-manager-2");
        assert_eq!(roles(&cluster), [("s-manager-1".to_owned(), second, NodeRole::Worker)]);
    }
}

/// When all go, those that go serve the others; the last has nobody to tell.
#[test]
fn managers_on_their_way_out_serve_when_nobody_else_is_left() {
    let mut cluster = settled_swarm(3, 0);
    for name in ["s-manager-1", "s-manager-2", "s-manager-3"] {
        going(&mut cluster, name, Phase::Demoting);
    }
    let second = node(&cluster, "s-manager-2");
    assert_eq!(roles(&cluster), [("s-manager-1".to_owned(), second, NodeRole::Worker)]);
}
