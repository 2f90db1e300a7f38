//! Leaving: the engine leaves, a manager forgets, the instance goes; or time does.

use skep_core::command::Advance;
use skep_core::plan::{Action, Step, WaitReason};
use skep_core::state::Task;
use skep_types::{ClusterTime, ConditionStatus, Phase, limits};

use super::{goes, ms, wait};
use crate::support::Cluster;
use crate::support::place::{connected, manager_node, node_of, permit, settled_swarm};

fn leaving() -> Cluster {
    let mut cluster = settled_swarm(3, 2);
    cluster.with_host("s-worker-1", |host| {
        host.phase = Phase::Leaving;
        host.desired.absent = true;
    });
    cluster
}

fn deadline(times: u64) -> u64 {
    1_000 + times * ms(limits::LEAVE_DEADLINE)
}

#[test]
fn asks_the_engine_first() {
    let mut cluster = leaving();
    let leave = Task::SwarmLeave { force: false };
    assert_eq!(cluster.step("s-worker-1"), Step::Do(Action::Grant(leave.clone())));
    cluster.with_host("s-worker-1", |host| host.permit = Some(permit(leave)));
    assert_eq!(cluster.step("s-worker-1"), wait(WaitReason::Leave, Some(deadline(1))));
}

#[test]
fn asks_again_only_after_a_pause() {
    let mut cluster = leaving();
    cluster.with_host("s-worker-1", |host| host.retry_at = Some(ClusterTime(3_000)));
    assert_eq!(cluster.step("s-worker-1"), wait(WaitReason::Backoff, Some(3_000)));
}

/// The machine outlives the host: its engine must not go on as a node of a swarm that nobody keeps.
#[test]
fn an_adopted_machine_leaves_by_force_when_its_swarm_goes() {
    let mut cluster = leaving();
    let mut account = (*cluster.state.accounts.values().next().cloned().expect("an account")).clone();
    account.driver.adopts = true;
    cluster.state.accounts.insert(account.name.clone(), account.into());
    cluster.with_swarm(|swarm| swarm.absent = true);
    let leave = Task::SwarmLeave { force: true };
    assert_eq!(cluster.step("s-worker-1"), Step::Do(Action::Grant(leave)));
    cluster.with_host("s-worker-2", |host| host.desired.absent = true);
    assert_eq!(goes(cluster.step("s-worker-2")), Advance::Leaving);
    // One whose agent is out of touch for a moment is waited for, but not by force.
    cluster.with_host("s-worker-2", |host| connected(host, ConditionStatus::False, 0));
    assert_eq!(goes(cluster.step("s-worker-2")), Advance::Leaving);
    cluster.with_host("s-worker-2", |host| host.desired.force = true);
    assert_eq!(goes(cluster.step("s-worker-2")), Advance::Deleting);
    cluster.with_host("s-worker-1", |host| host.left = true);
    assert_eq!(goes(cluster.step("s-worker-1")), Advance::Deleting);
    cluster.with_host("s-worker-1", |host| host.left = false);
    cluster.now = ClusterTime(deadline(1));
    assert_eq!(goes(cluster.step("s-worker-1")), Advance::Deleting);
}

#[test]
fn then_a_manager_forgets_the_node() {
    let left: fn(&mut skep_core::state::Host) = |host| host.left = true;
    let lost: fn(&mut skep_core::state::Host) = |host| connected(host, ConditionStatus::False, 0);
    for change in [left, lost] {
        let mut cluster = leaving();
        cluster.with_host("s-worker-1", change);
        assert_eq!(cluster.step("s-worker-1"), wait(WaitReason::NodeRemoval, Some(deadline(2))));
    }
}

/// With no manager to ask: the node stays behind as a ghost.
#[test]
fn goes_without_a_manager_in_the_end() {
    let mut cluster = leaving();
    cluster.now = ClusterTime(deadline(1));
    assert_eq!(cluster.step("s-worker-1"), wait(WaitReason::NodeRemoval, Some(deadline(2))));
    cluster.now = ClusterTime(deadline(2));
    assert_eq!(goes(cluster.step("s-worker-1")), Advance::Deleting);
}

#[test]
fn goes_when_nobody_lists_it() {
    let mut cluster = leaving();
    let id = cluster.id("s-worker-1");
    cluster.with_swarm(|swarm| {
        swarm.nodes.remove(&node_of(id));
    });
    assert_eq!(goes(cluster.step("s-worker-1")), Advance::Deleting);
}

/// A list that came late made it leave too early.
#[test]
fn a_manager_goes_back_to_its_demotion() {
    let mut cluster = leaving();
    let id = cluster.id("s-worker-1");
    cluster.with_swarm(|swarm| {
        swarm.nodes.insert(node_of(id), manager_node(false));
    });
    assert_eq!(goes(cluster.step("s-worker-1")), Advance::Demoting);
}
