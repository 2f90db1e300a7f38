//! Ready and Stopped: at rest, or about to have their power changed.

use skep_core::plan::{Step, WaitReason};
use skep_types::{ClusterTime, Phase, PowerAction};

use super::wait;
use crate::support::place::{lone, serving};

#[test]
fn rests() {
    for phase in [Phase::Ready, Phase::Stopped] {
        let mut cluster = lone();
        cluster.with_host("web", |host| serving(host, phase));
        assert_eq!(cluster.step("web"), Step::Done);
    }
}

#[test]
fn waits_for_the_power_call() {
    let mut cluster = lone();
    cluster.with_host("web", |host| {
        serving(host, Phase::Ready);
        host.desired.power = Some(PowerAction::Stop);
    });
    assert_eq!(cluster.step("web"), wait(WaitReason::AccountBusy, None));
    cluster.with_host("web", |host| host.retry_at = Some(ClusterTime(3_000)));
    assert_eq!(cluster.step("web"), wait(WaitReason::Backoff, Some(3_000)));
}
