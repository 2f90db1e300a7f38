//! Booting: the time of a boot, then Failed.

use skep_core::plan::WaitReason;
use skep_types::{ClusterTime, FailureClass, Phase, limits};

use super::{fails, ms, wait};
use crate::support::place::{bound, lone};

#[test]
fn waits_for_the_agent_until_the_boot_deadline() {
    let mut cluster = lone();
    cluster.with_host("web", |host| bound(host, Phase::Booting));
    let deadline = 1_000 + ms(limits::BOOT_DEADLINE);
    assert_eq!(cluster.step("web"), wait(WaitReason::Enrolment, Some(deadline)));
    cluster.now = ClusterTime(deadline);
    assert_eq!(fails(cluster.step("web")), FailureClass::Boot);
}
