//! Ready and Stopped: at rest, unless somebody asked for power to change; the account's planner makes that an intent.

use super::wait;
use crate::plan::{Step, View, WaitReason, account};
use crate::state::Host;

pub(super) fn next_step(host: &Host, view: &View<'_>) -> Step {
    if host.desired.power.is_none() {
        return Step::Done;
    }
    if let Some(until) = host.retry_at.filter(|until| *until > view.now) {
        return wait(WaitReason::Backoff, Some(until));
    }
    if account::owner_of(host, view).is_none() {
        return wait(WaitReason::NoEligibleCoordinator, None);
    }
    wait(WaitReason::AccountBusy, None)
}
