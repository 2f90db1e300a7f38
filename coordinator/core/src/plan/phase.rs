//! The next step of one host, by its phase.

mod booting;
mod demoting;
mod failed;
mod installing;
pub(super) mod joining;
pub(super) mod leaving;
mod pending;
mod ready;
mod starting;
mod way_out;

use std::time::Duration;

use skep_types::{ClusterTime, ConditionKind, FailureClass, Phase};

use super::{Action, Step, View, WaitReason};
use crate::command::Advance;
use crate::state::Host;

/// What should happen to this host now. Asking twice gives the same answer.
pub fn next_step(host: &Host, view: &View<'_>) -> Step {
    if let Some(intent) = host.intent() {
        return wait(WaitReason::DriverCall(intent), None);
    }
    match &host.phase {
        Phase::Demoting => demoting::next_step(host, view),
        Phase::Leaving => leaving::next_step(host, view),
        Phase::Deleting { .. } => way_out::destroy(host, view),
        // Wanted absent only on a person's word: operations leave what is ambiguous alone.
        Phase::Quarantined { .. } if !host.desired.absent => wait(WaitReason::Person, None),
        _ if host.desired.absent => way_out::next_step(host, view),
        Phase::Pending => pending::next_step(host, view),
        Phase::Booting => booting::next_step(host, view),
        Phase::Installing => installing::next_step(host, view),
        Phase::Joining => joining::next_step(host, view),
        Phase::Ready | Phase::Stopped => ready::next_step(host, view),
        Phase::Starting { .. } => starting::next_step(host, view),
        Phase::Failed { .. } | Phase::Quarantined { .. } => failed::next_step(),
        // Reached only inside an Open intent, or not at all yet.
        Phase::Provisioning { .. } | Phase::Stopping { .. } | Phase::Maintaining { .. } => Step::Done,
    }
}

fn wait(reason: WaitReason, until: Option<ClusterTime>) -> Step {
    Step::Wait { reason, until }
}

fn advance(to: Advance, reason: &str) -> Step {
    Step::Do(Action::Advance(to, reason.to_owned()))
}

/// Waits until a phase's deadline, then fails the host. The deadline counts from when its agent was lost or came back
/// last, so that a partition shorter than it fails nobody, and a host that is never heard of again does fail.
fn wait_or_fail(
    host: &Host,
    view: &View<'_>,
    reason: WaitReason,
    deadline: Duration,
    class: FailureClass,
) -> Step {
    let contact = host.conditions.get(ConditionKind::AgentConnected).map(|condition| condition.since);
    let until = host.phase_since.max(contact.unwrap_or_default()).after(deadline);
    if view.now < until {
        return wait(reason, Some(until));
    }
    let message = format!("after {} s: {reason}", deadline.as_secs());
    Step::Do(Action::Advance(Advance::Failed { class, message }, "the deadline passed".to_owned()))
}
