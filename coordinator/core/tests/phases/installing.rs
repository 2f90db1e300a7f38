//! Installing: the engine, then the verdict, then on.

use skep_core::command::Advance;
use skep_core::plan::WaitReason;
use skep_types::{ClusterTime, ConditionStatus, FailureClass, Phase, Verdict, limits};

use super::{fails, goes, ms, wait};
use crate::support::Cluster;
use crate::support::place::{bound, connect, connected, lone, serving, swarm};

fn decided(cluster: &mut Cluster, verdict: Verdict) {
    let mut operation = (*cluster.state.operations.values().next().cloned().expect("an operation")).clone();
    operation.verdict = verdict;
    cluster.state.operations.insert(operation.id, operation.into());
}

#[test]
fn waits_for_the_engine_until_the_deadline() {
    let mut cluster = lone();
    cluster.with_host("web", |host| {
        bound(host, Phase::Installing);
        connect(host, 1, 0);
    });
    let deadline = 1_000 + ms(limits::INSTALL_DEADLINE);
    assert_eq!(cluster.step("web"), wait(WaitReason::Engine, Some(deadline)));
    cluster.now = ClusterTime(deadline);
    assert_eq!(fails(cluster.step("web")), FailureClass::Install);
}

/// A partition fails nobody: the deadline counts from when the agent was lost, or came back.
#[test]
fn the_deadline_counts_from_the_last_contact() {
    for status in [ConditionStatus::False, ConditionStatus::True] {
        let mut cluster = lone();
        cluster.with_host("web", |host| {
            bound(host, Phase::Installing);
            connected(host, status, 500_000);
        });
        cluster.now = ClusterTime(1_000 + ms(limits::INSTALL_DEADLINE));
        let deadline = 500_000 + ms(limits::INSTALL_DEADLINE);
        assert_eq!(cluster.step("web"), wait(WaitReason::Engine, Some(deadline)));
    }
}

#[test]
fn nobody_goes_on_before_the_verdict() {
    let mut cluster = lone();
    cluster.with_host("web", |host| serving(host, Phase::Installing));
    assert_eq!(cluster.step("web"), wait(WaitReason::Verdict, None));
    decided(&mut cluster, Verdict::Committed);
    assert_eq!(goes(cluster.step("web")), Advance::Ready);
}

#[test]
fn a_member_joins_its_swarm() {
    let mut cluster = swarm(1, 0);
    cluster.with_host("s-manager-1", |host| serving(host, Phase::Installing));
    decided(&mut cluster, Verdict::Committed);
    assert_eq!(goes(cluster.step("s-manager-1")), Advance::Joining);
}

#[test]
fn a_forgotten_operation_gave_its_verdict_long_ago() {
    let mut cluster = lone();
    cluster.with_host("web", |host| serving(host, Phase::Installing));
    cluster.state.operations.clear();
    assert_eq!(goes(cluster.step("web")), Advance::Ready);
}
