//! Demoting: until the list says worker.

use skep_core::command::Advance;
use skep_core::plan::WaitReason;
use skep_core::state::SwarmNode;
use skep_types::{NodeRole, Phase};

use super::{goes, wait};
use crate::support::Cluster;
use crate::support::place::{manager_node, node_of, settled_swarm, worker_node};

fn demoting(node: Option<SwarmNode>) -> Cluster {
    let mut cluster = settled_swarm(3, 1);
    let id = cluster.id("s-manager-2");
    cluster.with_host("s-manager-2", |host| {
        host.phase = Phase::Demoting;
        host.desired.absent = true;
    });
    cluster.with_swarm(|swarm| {
        match node {
            Some(node) => swarm.nodes.insert(node_of(id), node),
            None => swarm.nodes.remove(&node_of(id)),
        };
    });
    cluster
}

#[test]
fn waits_while_it_is_a_manager_by_role_or_deed() {
    let by_deed = SwarmNode { role: Some(NodeRole::Worker), ..manager_node(false) };
    let by_role = SwarmNode { role: Some(NodeRole::Manager), ..worker_node() };
    for node in [manager_node(false), by_deed, by_role] {
        assert_eq!(demoting(Some(node)).step("s-manager-2"), wait(WaitReason::Demotion, None));
    }
}

#[test]
fn leaves_as_a_worker_and_goes_when_it_is_not_listed() {
    assert_eq!(goes(demoting(Some(worker_node())).step("s-manager-2")), Advance::Leaving);
    assert_eq!(goes(demoting(None).step("s-manager-2")), Advance::Deleting);
}

/// Without quorum nobody can demote it, and only a person may give the quorum up.
#[test]
fn force_ends_it() {
    let mut cluster = demoting(Some(manager_node(false)));
    cluster.with_host("s-manager-2", |host| host.desired.force = true);
    assert_eq!(goes(cluster.step("s-manager-2")), Advance::Deleting);
}
