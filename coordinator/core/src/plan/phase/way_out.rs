//! Wanted absent: out of the managers, out of the swarm, then the instance, then the record. Whatever the phase.

use skep_types::{NodeRole, limits};

use super::{advance, wait};
use crate::command::Advance;
use crate::plan::{Step, View, WaitReason, account};
use crate::state::{Host, Swarm, Task};

pub(super) fn next_step(host: &Host, view: &View<'_>) -> Step {
    let Some(instance) = &host.instance else {
        return advance(Advance::Deleted, "nothing of it exists");
    };
    // While its create call may be replayed, destroying the instance would have it made anew.
    if view.state.intents.contains_key(&instance.intent) {
        return wait(WaitReason::DriverCall(instance.intent), None);
    }
    if let Some(until) = one_shot_under_way(host, view) {
        return wait(WaitReason::Permit, Some(until));
    }
    match swarm_to_leave(host, view) {
        Some(_) if host.role() == Some(NodeRole::Manager) => advance(Advance::Demoting, "the host is to go"),
        Some(_) => advance(Advance::Leaving, "the host is to go"),
        None if stays_in_swarm(host, view) => {
            advance(Advance::Leaving, "the machine stays, without its swarm")
        }
        None => advance(Advance::Deleting, "the host is to go"),
    }
}

/// An init or join whose answer is still to come: destroying the host now could leave a node nobody knows.
fn one_shot_under_way(host: &Host, view: &View<'_>) -> Option<skep_types::ClusterTime> {
    let permit = host.permit.as_ref().filter(|permit| !permit.task.idempotent())?;
    if matches!(permit.task, Task::SwarmLeave { .. }) || !host.connected() || host.desired.force {
        return None;
    }
    let until = permit.granted_at.after(limits::LEAVE_DEADLINE);
    (view.now < until).then_some(until)
}

/// The swarm that has to be told, if the host has a node there and the swarm stays. The last of our hosts has nobody to
/// tell; nodes of others that it leaves behind are theirs.
pub(super) fn swarm_to_leave<'a>(host: &Host, view: &View<'a>) -> Option<&'a Swarm> {
    let membership = host.membership.as_ref()?;
    let swarm = view.state.swarms.get(&membership.swarm)?;
    let listed = |host: &Host| host.node.as_ref().is_some_and(|node| swarm.nodes.contains_key(node));
    let stays = listed(host) && !swarm.absent && !host.desired.force;
    let mut others = view.state.members(swarm.id).filter(|other| other.id != host.id);
    (stays && others.any(|other| listed(other))).then_some(swarm)
}

/// Whether the host's machine would go on as a node of a swarm that nobody keeps: it was adopted, and outlives the host.
/// An agent that is out of touch is waited for as long as one that takes its time; by force, nobody is.
pub(super) fn stays_in_swarm(host: &Host, view: &View<'_>) -> bool {
    let account = view.state.accounts.get(&host.template.account);
    account.is_some_and(|account| account.driver.adopts)
        && host.node.is_some()
        && !host.left
        && (host.connected() || !host.desired.force)
}

/// Deleting: the account's planner makes it a driver call.
pub(super) fn destroy(host: &Host, view: &View<'_>) -> Step {
    if host.instance.is_none() {
        return advance(Advance::Deleted, "nothing of it exists");
    }
    if let Some(until) = host.retry_at.filter(|until| *until > view.now) {
        return wait(WaitReason::Backoff, Some(until));
    }
    if account::owner_of(host, view).is_none() {
        return wait(WaitReason::NoEligibleCoordinator, None);
    }
    wait(WaitReason::AccountBusy, None)
}
