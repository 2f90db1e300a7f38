//! Joining: Ready once a manager lists the node with the wanted role and labels. Turns are given by the swarm planner.

use skep_types::{FailureClass, NodeRole, NodeState, limits};

use super::{advance, wait_or_fail};
use crate::command::Advance;
use crate::plan::{Step, View, WaitReason};
use crate::state::{Host, Swarm};

pub(super) fn next_step(host: &Host, view: &View<'_>) -> Step {
    let swarm = host.membership.as_ref().and_then(|membership| view.state.swarms.get(&membership.swarm));
    match swarm.and_then(|swarm| missing(host, swarm)) {
        Some(reason) => wait_or_fail(host, view, reason, limits::JOIN_DEADLINE, FailureClass::Join),
        None => advance(Advance::Ready, "the node is ready"),
    }
}

/// What the host's node still lacks.
pub(in crate::plan) fn missing(host: &Host, swarm: &Swarm) -> Option<WaitReason> {
    if host.permit.is_some() && host.node.is_none() {
        return Some(WaitReason::Permit);
    }
    let Some(node) = &host.node else {
        let reason = if swarm.docker_id.is_some() { WaitReason::JoinGate } else { WaitReason::SwarmInit };
        return Some(reason);
    };
    let Some(node) = swarm.nodes.get(node).filter(|node| node.state == NodeState::Ready) else {
        return Some(WaitReason::NodeListed);
    };
    if host.role() == Some(NodeRole::Manager) && !(node.role == Some(NodeRole::Manager) && node.reachable) {
        return Some(WaitReason::Promotion);
    }
    (!node.labelled).then_some(WaitReason::NodeLabels)
}
