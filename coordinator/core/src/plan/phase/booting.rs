//! Booting: the instance exists, and its agent has the time of a boot to call.

use skep_types::{FailureClass, limits};

use super::{wait, wait_or_fail};
use crate::plan::{Step, View, WaitReason};
use crate::state::Host;

pub(super) fn next_step(host: &Host, view: &View<'_>) -> Step {
    // A long create binds early what it has not made to its end yet.
    let made_by = host.instance.as_ref().map(|bound| bound.intent);
    if let Some(intent) = made_by.filter(|intent| view.state.intents.contains_key(intent)) {
        return wait(WaitReason::DriverCall(intent), None);
    }
    // Its token's life counts from the close, which may come long after the bind.
    let token_until = host.enrolment.and_then(|enrolment| enrolment.expires_at);
    if let Some(until) = token_until.filter(|until| view.now < *until) {
        return wait(WaitReason::Enrolment, Some(until));
    }
    wait_or_fail(host, view, WaitReason::Enrolment, limits::BOOT_DEADLINE, FailureClass::Boot)
}
