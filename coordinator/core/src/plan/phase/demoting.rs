//! Demoting: until no manager lists it as one of them. The swarm planner picks the turn, with quorum and margin.

use skep_types::NodeRole;

use super::way_out::swarm_to_leave;
use super::{advance, wait};
use crate::command::Advance;
use crate::plan::{Step, View, WaitReason};
use crate::state::{Host, Swarm};

pub(super) fn next_step(host: &Host, view: &View<'_>) -> Step {
    let Some(swarm) = swarm_to_leave(host, view) else {
        return advance(Advance::Deleting, "no swarm is left to leave");
    };
    if !is_manager(host, swarm) {
        return advance(Advance::Leaving, "the node is a worker");
    }
    wait(WaitReason::Demotion, None)
}

/// By its role, or still by its deeds.
pub(super) fn is_manager(host: &Host, swarm: &Swarm) -> bool {
    let node = host.node.as_ref().and_then(|node| swarm.nodes.get(node));
    node.is_some_and(|node| node.role == Some(NodeRole::Manager) || node.manager)
}
