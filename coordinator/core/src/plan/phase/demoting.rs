//! Demoting: until no manager lists it as one of them. The swarm planner picks the turn, with quorum and margin.

use skep_types::NodeRole;

use super::way_out::swarm_to_leave;
use super::{advance, wait};
use crate::command::Advance;
use crate::plan::{Step, View, WaitReason};
use crate::state::Host;

pub(super) fn next_step(host: &Host, view: &View<'_>) -> Step {
    let Some(swarm) = swarm_to_leave(host, view) else {
        return advance(Advance::Deleting, "no swarm is left to leave");
    };
    let node = host.node.as_ref().and_then(|node| swarm.nodes.get(node));
    if node.is_none_or(|node| node.role == Some(NodeRole::Worker) && !node.manager) {
        return advance(Advance::Leaving, "the node is a worker");
    }
    wait(WaitReason::Demotion, None)
}
