//! Starting: the driver has done its part; the agent has to come back in a new session, with its engine.

use skep_types::{ConditionKind, FailureClass, limits};

use super::{advance, wait_or_fail};
use crate::command::Advance;
use crate::plan::{Step, View, WaitReason};
use crate::state::Host;

pub(super) fn next_step(host: &Host, view: &View<'_>) -> Step {
    let new_session = host.session.as_ref().is_some_and(|session| session.number > host.session_floor);
    if !new_session || !host.connected() {
        return wait_or_fail(host, view, WaitReason::AgentBack, limits::POWER_DEADLINE, FailureClass::Power);
    }
    if !host.conditions.is_true(ConditionKind::EngineReady) {
        return wait_or_fail(host, view, WaitReason::Engine, limits::POWER_DEADLINE, FailureClass::Power);
    }
    advance(Advance::Ready, "the host is back")
}
