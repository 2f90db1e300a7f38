//! Joining: what the node still lacks, in order.

use skep_core::command::Advance;
use skep_core::plan::WaitReason;
use skep_core::state::SwarmNode;
use skep_types::{ClusterTime, FailureClass, NodeRole, NodeState, Phase, limits};

use super::{fails, goes, ms, wait};
use crate::support::Cluster;
use crate::support::place::{join_task, manager_node, node_of, permit, serving, settled_swarm, worker_node};

const DEADLINE: u64 = 1_000;

fn joining(name: &str, node: Option<SwarmNode>) -> Cluster {
    let mut cluster = settled_swarm(3, 1);
    let id = cluster.id(name);
    let known = node.is_some();
    cluster.with_host(name, |host| {
        serving(host, Phase::Joining);
        host.node = known.then(|| node_of(id));
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
fn lacks_one_thing_after_the_other() {
    let unlisted = SwarmNode { state: NodeState::Unknown, ..worker_node() };
    let bare = SwarmNode { labelled: false, ..worker_node() };
    let promoted = SwarmNode { role: Some(NodeRole::Manager), ..worker_node() };
    let table = [
        ("s-worker-1", None, WaitReason::JoinGate),
        ("s-worker-1", Some(unlisted), WaitReason::NodeListed),
        ("s-worker-1", Some(bare), WaitReason::NodeLabels),
        ("s-manager-2", Some(worker_node()), WaitReason::Promotion),
        ("s-manager-2", Some(promoted), WaitReason::Promotion),
    ];
    for (name, node, reason) in table {
        let cluster = joining(name, node);
        let until = DEADLINE + ms(limits::JOIN_DEADLINE);
        assert_eq!(cluster.step(name), wait(reason, Some(until)), "{name} {reason:?}");
    }
}

#[test]
fn is_ready_when_nothing_is_lacking() {
    for (name, node) in [("s-worker-1", worker_node()), ("s-manager-2", manager_node(false))] {
        assert_eq!(goes(joining(name, Some(node)).step(name)), Advance::Ready);
    }
}

#[test]
fn waits_for_its_permit_and_for_the_init() {
    let until = Some(DEADLINE + ms(limits::JOIN_DEADLINE));
    let mut cluster = joining("s-worker-1", None);
    cluster.with_host("s-worker-1", |host| host.permit = Some(permit(join_task())));
    assert_eq!(cluster.step("s-worker-1"), wait(WaitReason::Permit, until));
    let mut cluster = joining("s-worker-1", None);
    cluster.with_swarm(|swarm| swarm.docker_id = None);
    assert_eq!(cluster.step("s-worker-1"), wait(WaitReason::SwarmInit, until));
}

/// Also with a permit whose answer never came.
#[test]
fn fails_at_the_deadline() {
    let mut cluster = joining("s-worker-1", None);
    cluster.with_host("s-worker-1", |host| host.permit = Some(permit(join_task())));
    cluster.now = ClusterTime(DEADLINE + ms(limits::JOIN_DEADLINE));
    assert_eq!(fails(cluster.step("s-worker-1")), FailureClass::Join);
}
