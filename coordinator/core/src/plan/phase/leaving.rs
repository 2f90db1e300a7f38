//! Leaving: the engine leaves, then a manager forgets the node, then the instance goes.

use skep_types::{ClusterTime, limits};

use super::demoting::is_manager;
use super::way_out::{stays_in_swarm, swarm_to_leave};
use super::{advance, wait};
use crate::command::Advance;
use crate::plan::{Action, Step, View, WaitReason};
use crate::state::{Host, Task};

pub(super) fn next_step(host: &Host, view: &View<'_>) -> Step {
    let deadline = host.phase_since.after(limits::LEAVE_DEADLINE);
    let Some(swarm) = swarm_to_leave(host, view) else {
        return match stays_in_swarm(host, view) && view.now < deadline {
            true => leave(host, true, deadline, view),
            false => advance(Advance::Deleting, "the node is gone"),
        };
    };
    // Decided on a list that came late: destroying a manager now could cost the quorum.
    if is_manager(host, swarm) {
        return advance(Advance::Demoting, "the node is a manager still");
    }
    if may_be_removed(host, view) {
        // Twice the deadline: with no manager to ask, the node stays behind as a ghost and is removed when one answers.
        let last = deadline.after(limits::LEAVE_DEADLINE);
        if view.now >= last {
            return advance(Advance::Deleting, "no manager removed the node in time; it is kept as a ghost");
        }
        return wait(WaitReason::NodeRemoval, Some(last));
    }
    leave(host, false, deadline, view)
}

/// Asks the engine to leave: by force where no manager is left to be told.
fn leave(host: &Host, force: bool, deadline: ClusterTime, view: &View<'_>) -> Step {
    if let Some(until) = host.retry_at.filter(|until| *until > view.now) {
        return wait(WaitReason::Backoff, Some(until.min(deadline)));
    }
    match &host.permit {
        None => Step::Do(Action::Grant(Task::SwarmLeave { force })),
        Some(_) => wait(WaitReason::Leave, Some(deadline)),
    }
}

/// Whether the node may be taken off the managers' list by force: it left, or cannot be asked.
pub(in crate::plan) fn may_be_removed(host: &Host, view: &View<'_>) -> bool {
    host.left || !host.connected() || view.now >= host.phase_since.after(limits::LEAVE_DEADLINE)
}
