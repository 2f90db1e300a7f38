//! Booting: the time of a boot, then Failed.

use skep_core::Command;
use skep_core::command::OutcomeCommand;
use skep_core::plan::WaitReason;
use skep_types::{ClusterTime, FailureClass, IntentId, Phase, limits};

use super::{fails, ms, wait};
use crate::support::place::{bound, lone};
use crate::support::{Cluster, digest};

#[test]
fn waits_for_the_agent_until_the_boot_deadline() {
    let mut cluster = lone();
    cluster.with_host("web", |host| bound(host, Phase::Booting));
    let deadline = 1_000 + ms(limits::BOOT_DEADLINE);
    assert_eq!(cluster.step("web"), wait(WaitReason::Enrolment, Some(deadline)));
    cluster.now = ClusterTime(deadline);
    assert_eq!(fails(cluster.step("web")), FailureClass::Boot);
}

/// A host `web` that was bound while its create goes on.
fn bound_early() -> (Cluster, IntentId) {
    let mut cluster = lone();
    let intent = cluster.open_create(&[digest(100)]);
    cluster.with_host("web", |host| {
        bound(host, Phase::Booting);
        host.instance.as_mut().expect("an instance").intent = intent;
    });
    (cluster, intent)
}

#[test]
fn the_time_of_a_boot_counts_from_the_end_of_the_create() {
    let (mut cluster, intent) = bound_early();
    let closed = 1_000 + 3 * ms(limits::BOOT_DEADLINE);
    cluster.now = ClusterTime(closed);
    assert_eq!(cluster.step("web"), wait(WaitReason::DriverCall(intent), None));
    cluster.one(Command::Outcome(OutcomeCommand::CloseCreate { intent, epoch: 1, shortfall: None }));
    let deadline = closed + ms(limits::BOOT_DEADLINE);
    assert_eq!(cluster.step("web"), wait(WaitReason::Enrolment, Some(deadline)));
    cluster.now = ClusterTime(deadline);
    assert_eq!(fails(cluster.step("web")), FailureClass::Boot);
}
