//! One swarm: who inits, who joins next, which manager is changed, which nodes are taken off the list.
//!
//! Everybody joins as a worker, and managers are made by promotion: idempotent by node id, one at a time, and no manager
//! token ever leaves the engine. What managers do for others is batched.

mod turns;

use std::net::IpAddr;

use skep_types::{ClusterTime, HostId, NodeId, NodeRole, NodeState, Phase, limits};

use super::View;
use super::phase::leaving::may_be_removed;
use crate::command::{Guard, PlanCommand};
use crate::state::{Host, NodeChange, Swarm, SwarmNode, Task};
use turns::Turns;

/// Nodes changed or removed by one permit.
const NODES_PER_PERMIT: usize = 64;
/// Manager addresses given to a joining engine: it tries them in turn.
const JOIN_ADDRESSES: usize = 3;
/// The label that says which host a node is.
pub const HOST_LABEL: &str = "skep-host";

pub fn plan(view: &View<'_>, swarm: &Swarm) -> (Vec<PlanCommand>, Vec<(ClusterTime, HostId)>) {
    let members: Vec<&Host> = view.state.members(swarm.id).map(AsRef::as_ref).collect();
    if swarm.absent {
        let forget = PlanCommand::ForgetSwarm { swarm: swarm.id };
        return (if members.is_empty() { vec![forget] } else { Vec::new() }, Vec::new());
    }
    let mut turns = Turns::new(view.now, swarm, members);
    turns.take_back_lost();
    if swarm.docker_id.is_none() {
        init(&mut turns);
    } else {
        join(&mut turns);
        update_nodes(&mut turns);
        remove_nodes(view, &mut turns);
    }
    turns.finish()
}

fn init(turns: &mut Turns<'_>) {
    let candidate = |host: &&Host| {
        host.role() == Some(NodeRole::Manager)
            && host.phase == Phase::Joining
            && !host.desired.absent
            && turns.swarm.init_host.is_none_or(|init| init == host.id)
    };
    let Some(host) = turns.members.iter().copied().filter(candidate).find(|host| turns.can_be_asked(host))
    else {
        return;
    };
    if let Some(advertise) = host.address() {
        turns.grant(host, Task::SwarmInit { advertise });
    }
}

/// As many at once as the gate lets through; managers have the lowest ids, and so come first.
fn join(turns: &mut Turns<'_>) {
    let managers = manager_addresses(turns);
    if managers.is_empty() {
        return;
    }
    // A host that failed while it joined keeps its permit, for its agent may come back; it holds up nobody else.
    let under_way = |host: &&&Host| {
        host.phase == Phase::Joining
            && host.permit.as_ref().is_some_and(|permit| matches!(permit.task, Task::SwarmJoin { .. }))
    };
    let room = limits::JOIN_GATE.saturating_sub(turns.members.iter().filter(under_way).count());
    let waiting = |host: &&Host| host.phase == Phase::Joining && host.node.is_none() && !host.desired.absent;
    let next: Vec<&Host> = turns
        .members
        .iter()
        .copied()
        .filter(waiting)
        .filter(|host| turns.can_be_asked(host))
        .take(room)
        .collect();
    for host in next {
        if let Some(advertise) = host.address() {
            turns.grant(host, Task::SwarmJoin { advertise, managers: managers.clone() });
        }
    }
}

fn manager_addresses(turns: &Turns<'_>) -> Vec<IpAddr> {
    let acts = |host: &&&Host| turns.node(host).is_some_and(|node| node.manager && node.reachable);
    turns.members.iter().filter(acts).filter_map(|host| host.address()).take(JOIN_ADDRESSES).collect()
}

/// Labels for as many as there are, and at most one change of managers in the whole swarm.
fn update_nodes(turns: &mut Turns<'_>) {
    let mut changes: Vec<NodeChange> = labels(turns);
    let role = (!turns.role_permit_open()).then(|| role_change(turns)).flatten();
    if let Some(role) = &role {
        match changes.iter_mut().find(|change| change.node == role.node) {
            Some(change) => change.role = role.role,
            None => changes.push(role.clone()),
        }
    }
    if changes.is_empty() {
        return;
    }
    let not = role.filter(|role| role.role == Some(NodeRole::Worker)).map(|role| role.node);
    if let Some(manager) = turns.acting_manager(not.as_ref()) {
        turns.grant(manager, Task::UpdateNodes { changes });
    }
}

fn labels(turns: &Turns<'_>) -> Vec<NodeChange> {
    let asked = turns.nodes_in_work();
    let bare = |host: &&&Host| {
        host.phase == Phase::Joining
            && host.node.as_ref().is_some_and(|node| !asked.contains(node))
            && turns.node(host).is_some_and(|node| !node.labelled)
            && !host.desired.absent
    };
    let change = |host: &&Host| {
        let own = (HOST_LABEL.to_owned(), host.id.to_string());
        let labels = host.template.labels.iter().map(|(key, value)| (key.clone(), value.clone()));
        Some(NodeChange { node: host.node.clone()?, role: None, labels: labels.chain([own]).collect() })
    };
    turns.members.iter().filter(bare).filter_map(change).take(NODES_PER_PERMIT - 1).collect()
}

/// One at a time. Add before remove: a demotion waits until every manager that is to come has come.
fn role_change(turns: &Turns<'_>) -> Option<NodeChange> {
    if let Some(node) = promotion_to_take_back(turns) {
        return Some(role_of(node, NodeRole::Worker));
    }
    if turns.manager_change_under_way() {
        return None;
    }
    if let Some(node) = next_manager(turns).and_then(|host| host.node.as_ref()) {
        return Some(role_of(node, NodeRole::Manager));
    }
    let demotable = |node: &&NodeId| {
        let manager = turns.swarm.nodes.get(*node).is_some_and(|node| node.manager);
        manager && turns.swarm.survives_removal_of(node)
    };
    let leader = |node: &&NodeId| turns.swarm.nodes.get(*node).is_some_and(|node| node.leader);
    let demote = nodes_to_demote(turns).filter(demotable).min_by_key(leader)?;
    Some(role_of(demote, NodeRole::Worker))
}

/// Of those that are to be promoted, one where the fewest managers are: until all have come, losing a failure domain takes
/// as few of them as can be.
fn next_manager<'a>(turns: &Turns<'a>) -> Option<&'a Host> {
    let ready = |node: &SwarmNode| node.state == NodeState::Ready && node.role == Some(NodeRole::Worker);
    let waits = |host: &&Host| {
        host.role() == Some(NodeRole::Manager)
            && host.phase == Phase::Joining
            && !host.desired.absent
            && turns.node(host).is_some_and(ready)
    };
    let manages = |host: &&&Host| turns.node(host).is_some_and(|node| node.manager);
    let beside = |host: &Host| {
        let here = |other: &&&Host| other.failure_domain() == host.failure_domain();
        turns.members.iter().filter(manages).filter(here).count()
    };
    turns.members.iter().copied().filter(waits).min_by_key(|host| (beside(host), host.id))
}

fn role_of(node: &NodeId, role: NodeRole) -> NodeChange {
    NodeChange { node: node.clone(), role: Some(role), labels: Vec::new() }
}

fn nodes_to_demote<'a>(turns: &'a Turns<'_>) -> impl Iterator<Item = &'a NodeId> {
    let going = turns.members.iter().filter(|host| host.phase == Phase::Demoting);
    going.filter_map(|host| host.node.as_ref()).chain(&turns.swarm.ghosts)
}

/// A node that was promoted, never became a manager, and is given up: as long as the promotion stands, no other change
/// can begin. It counts for no quorum yet.
fn promotion_to_take_back<'a>(turns: &'a Turns<'_>) -> Option<&'a NodeId> {
    let failed = turns.members.iter().filter(|host| matches!(host.phase, Phase::Failed { .. }));
    let unborn = |node: &&NodeId| {
        let listed = turns.swarm.nodes.get(*node);
        listed.is_some_and(|node| node.role == Some(NodeRole::Manager) && !node.manager)
    };
    failed.filter_map(|host| host.node.as_ref()).chain(nodes_to_demote(turns)).find(unborn)
}

/// Only nodes of hosts that left or are gone; everybody else's are foreign, and stay.
fn remove_nodes(view: &View<'_>, turns: &mut Turns<'_>) {
    let leaving = |host: &&&Host| host.phase == Phase::Leaving && may_be_removed(host, view);
    let worker = |node: &&NodeId| {
        let listed = turns.swarm.nodes.get(*node);
        listed.is_some_and(|node| !node.manager && node.role != Some(NodeRole::Manager))
    };
    let asked = turns.nodes_in_work();
    let left = turns.members.iter().filter(leaving).filter_map(|host| host.node.as_ref());
    let all = left.chain(&turns.swarm.ghosts).filter(worker).filter(|node| !asked.contains(node));
    let nodes: Vec<NodeId> = all.take(NODES_PER_PERMIT).cloned().collect();
    if nodes.is_empty() {
        return;
    }
    if let Some(manager) = turns.acting_manager(None) {
        turns.grant(manager, Task::RemoveNodes { nodes, force: true });
    }
}

/// Used where a guard is made of the host a planner just looked at.
fn guard(host: &Host) -> Guard {
    Guard { host: host.id, revision: host.revision }
}
