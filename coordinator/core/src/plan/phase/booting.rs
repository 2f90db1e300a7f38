//! Booting: the instance exists, and its agent has the time of a boot to call.

use skep_types::{FailureClass, limits};

use super::wait_or_fail;
use crate::plan::{Step, View, WaitReason};
use crate::state::Host;

pub(super) fn next_step(host: &Host, view: &View<'_>) -> Step {
    wait_or_fail(host, view, WaitReason::Enrolment, limits::BOOT_DEADLINE, FailureClass::Boot)
}
