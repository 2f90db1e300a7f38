//! What a manager lists, against what the swarm's record says.

use std::collections::BTreeSet;

use skep_core::State;
use skep_core::command::NodeListing;
use skep_core::plan::swarm::HOST_LABEL;
use skep_core::state::{Host, Swarm, SwarmNode};
use skep_proto::agent::{self, Report};
use skep_types::{NodeId, NodeRole, NodeState};

/// None when nothing differs, or this manager's view should not count now.
pub(super) fn listing(report: &Report, host: &Host, state: &State) -> Option<NodeListing> {
    if !report.nodes_listed {
        return None;
    }
    let membership = host.membership.as_ref().filter(|membership| membership.role == NodeRole::Manager)?;
    let swarm = state.swarms.get(&membership.swarm)?;
    let nodes: Vec<(NodeId, SwarmNode)> = report.nodes.iter().filter_map(node).collect();
    // While the swarm elects, every node looks unknown; and a manager that was left behind lists an old world.
    let me = host.node.as_ref()?;
    let leads = nodes.iter().any(|(id, node)| node.leader && id == me);
    if !leads && leader_is_heard(swarm, state) {
        return None;
    }
    let listed: BTreeSet<&NodeId> = nodes.iter().map(|(id, _)| id).collect();
    let gone: Vec<NodeId> = swarm.nodes.keys().filter(|id| !listed.contains(id)).cloned().collect();
    let changed: Vec<_> = nodes.into_iter().filter(|(id, node)| swarm.nodes.get(id) != Some(node)).collect();
    (!changed.is_empty() || !gone.is_empty()).then_some(NodeListing { swarm: swarm.id, changed, gone })
}

/// Whether the recorded leader is a connected host of ours: then its list counts, and no other.
fn leader_is_heard(swarm: &Swarm, state: &State) -> bool {
    let leader = swarm.nodes.iter().find(|(_, node)| node.leader).map(|(id, _)| id);
    let host = leader.and_then(|id| state.index.nodes.get(&(swarm.id, id.clone())));
    host.and_then(|id| state.host(*id)).is_some_and(|host| host.connected())
}

fn node(node: &agent::Node) -> Option<(NodeId, SwarmNode)> {
    let role = match node.role() {
        agent::NodeRole::Unspecified => None,
        agent::NodeRole::Manager => Some(NodeRole::Manager),
        agent::NodeRole::Worker => Some(NodeRole::Worker),
    };
    let state = match node.state() {
        agent::NodeState::Unspecified | agent::NodeState::Unknown => NodeState::Unknown,
        agent::NodeState::Ready => NodeState::Ready,
        agent::NodeState::Down => NodeState::Down,
        agent::NodeState::Disconnected => NodeState::Disconnected,
    };
    let listed = SwarmNode {
        hostname: node.hostname.clone(),
        role,
        state,
        leader: node.leader,
        reachable: node.manager_reachable,
        manager: node.manager_member,
        labelled: node.labels.contains_key(HOST_LABEL),
    };
    Some((node.node_id.parse().ok()?, listed))
}
