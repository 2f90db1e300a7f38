//! Starting: a new session, and its engine.

use skep_core::command::Advance;
use skep_core::plan::WaitReason;
use skep_types::{ClusterTime, ConditionKind, ConditionStatus, FailureClass, Phase, limits};

use super::{fails, goes, ms, wait};
use crate::support::place::{bound, connect, lone, serving};

#[test]
fn the_session_of_before_does_not_count() {
    let mut cluster = lone();
    cluster.with_host("web", |host| {
        serving(host, Phase::Starting { intent: None });
        host.session_floor = 1;
    });
    let until = 1_000 + ms(limits::POWER_DEADLINE);
    assert_eq!(cluster.step("web"), wait(WaitReason::AgentBack, Some(until)));
    cluster.now = ClusterTime(until);
    assert_eq!(fails(cluster.step("web")), FailureClass::Power);
}

#[test]
fn the_engine_has_to_answer_too() {
    let mut cluster = lone();
    cluster.with_host("web", |host| {
        bound(host, Phase::Starting { intent: None });
        connect(host, 2, 0);
        host.session_floor = 1;
    });
    let until = 1_000 + ms(limits::POWER_DEADLINE);
    assert_eq!(cluster.step("web"), wait(WaitReason::Engine, Some(until)));
    cluster.with_host("web", |host| {
        host.conditions.set(ConditionKind::EngineReady, ConditionStatus::True, "", "", ClusterTime(0));
    });
    assert_eq!(goes(cluster.step("web")), Advance::Ready);
}
