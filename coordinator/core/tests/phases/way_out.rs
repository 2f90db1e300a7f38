//! Wanted absent: the right door from every phase.

use skep_core::command::Advance;
use skep_core::plan::WaitReason;
use skep_core::state::Task;
use skep_types::{ClusterTime, Phase, limits};

use super::{goes, ms, wait};
use crate::support::Cluster;
use crate::support::place::{bound, join_task, lone, permit, serving, settled_swarm};

fn unwanted(mut cluster: Cluster, name: &str) -> Cluster {
    cluster.with_host(name, |host| host.desired.absent = true);
    cluster
}

#[test]
fn nothing_exists() {
    assert_eq!(goes(unwanted(lone(), "web").step("web")), Advance::Deleted);
}

#[test]
fn an_instance_without_a_swarm_is_destroyed() {
    for phase in
        [Phase::Booting, Phase::Installing, Phase::Ready, Phase::Stopped, Phase::Starting { intent: None }]
    {
        let mut cluster = unwanted(lone(), "web");
        cluster.with_host("web", |host| bound(host, phase));
        assert_eq!(goes(cluster.step("web")), Advance::Deleting);
    }
}

#[test]
fn a_node_says_goodbye_first() {
    let cluster = unwanted(unwanted(settled_swarm(3, 2), "s-worker-1"), "s-manager-2");
    assert_eq!(goes(cluster.step("s-worker-1")), Advance::Leaving);
    assert_eq!(goes(cluster.step("s-manager-2")), Advance::Demoting);
}

#[test]
fn by_force_or_with_its_swarm_it_does_not() {
    let mut cluster = unwanted(settled_swarm(3, 2), "s-manager-2");
    cluster.with_host("s-manager-2", |host| host.desired.force = true);
    assert_eq!(goes(cluster.step("s-manager-2")), Advance::Deleting);
    let mut cluster = unwanted(settled_swarm(3, 2), "s-manager-2");
    cluster.with_swarm(|swarm| swarm.absent = true);
    assert_eq!(goes(cluster.step("s-manager-2")), Advance::Deleting);
}

/// The last of our hosts, whatever foreign nodes it leaves.
#[test]
fn the_last_host_has_nobody_to_tell() {
    let mut cluster = unwanted(settled_swarm(1, 0), "s-manager-1");
    let foreign = crate::support::place::worker_node();
    cluster.with_swarm(|swarm| {
        swarm.nodes.insert("foreign".parse().unwrap(), foreign);
    });
    assert_eq!(goes(cluster.step("s-manager-1")), Advance::Deleting);
}

/// An init or join that is under way may make a node yet.
#[test]
fn a_one_shot_under_way_is_waited_for_but_not_for_ever() {
    let mut cluster = unwanted(settled_swarm(3, 2), "s-worker-1");
    cluster.with_host("s-worker-1", |host| {
        serving(host, Phase::Joining);
        host.node = None;
        host.permit = Some(permit(join_task()));
    });
    let until = ms(limits::LEAVE_DEADLINE);
    assert_eq!(cluster.step("s-worker-1"), wait(WaitReason::Permit, Some(until)));
    cluster.now = ClusterTime(until);
    assert_eq!(goes(cluster.step("s-worker-1")), Advance::Deleting);
    let leave = Task::SwarmLeave { force: false };
    cluster.now = ClusterTime(1_000);
    cluster.with_host("s-worker-1", |host| host.permit = Some(permit(leave)));
    assert_eq!(goes(cluster.step("s-worker-1")), Advance::Deleting);
}
