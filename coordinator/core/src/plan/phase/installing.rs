//! Installing: the engine has to answer, and the request has to have its minimum, before the host goes on.

use skep_types::{ConditionKind, FailureClass, Verdict, limits};

use super::{advance, wait, wait_or_fail};
use crate::command::Advance;
use crate::plan::{Step, View, WaitReason};
use crate::state::Host;

pub(super) fn next_step(host: &Host, view: &View<'_>) -> Step {
    if !host.connected() || !host.conditions.is_true(ConditionKind::EngineReady) {
        return wait_or_fail(host, view, WaitReason::Engine, limits::INSTALL_DEADLINE, FailureClass::Install);
    }
    // A finished operation may be forgotten by now; then its verdict was given long ago.
    let undecided = |verdict| verdict == Verdict::Undecided;
    if view.state.operations.get(&host.created_by).is_some_and(|operation| undecided(operation.verdict)) {
        return wait(WaitReason::Verdict, None);
    }
    match host.membership {
        Some(_) => advance(Advance::Joining, "the engine is ready"),
        None => advance(Advance::Ready, "the engine is ready"),
    }
}
