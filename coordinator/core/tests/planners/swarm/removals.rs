//! Who is taken off the list, and who does it.

use skep_core::command::PlanCommand;
use skep_core::state::{SwarmNode, Task};
use skep_types::{ConditionStatus, NodeId, NodeRole, Phase};

use super::{going, grants, list, node, plan, removals, roles};
use crate::support::place::{connected, join_task, manager_node, permit, settled_swarm, worker_node};

#[test]
fn only_nodes_of_hosts_that_left_and_ghosts_are_removed() {
    let mut cluster = settled_swarm(3, 3);
    going(&mut cluster, "s-worker-1", Phase::Leaving);
    cluster.with_host("s-worker-1", |host| host.left = true);
    going(&mut cluster, "s-worker-2", Phase::Leaving);
    let ghost: NodeId = "ghost".parse().unwrap();
    cluster.with_swarm(|swarm| {
        swarm.nodes.insert("foreign".parse().unwrap(), worker_node());
        swarm.nodes.insert(ghost.clone(), worker_node());
        swarm.ghosts.push(ghost.clone());
    });
    let left = node(&cluster, "s-worker-1");
    assert_eq!(removals(&cluster), [left, ghost]);
}

/// A ghost that was a manager is demoted first.
#[test]
fn a_ghost_goes_the_same_way() {
    let mut cluster = settled_swarm(3, 0);
    let ghost: NodeId = "ghost".parse().unwrap();
    cluster.with_swarm(|swarm| {
        swarm.nodes.insert(ghost.clone(), SwarmNode { reachable: false, ..manager_node(false) });
        swarm.ghosts.push(ghost.clone());
    });
    assert_eq!(removals(&cluster), []);
    assert_eq!(roles(&cluster), [("s-manager-1".to_owned(), ghost, NodeRole::Worker)]);
}

#[test]
fn what_one_manager_is_asked_another_is_not() {
    let mut cluster = settled_swarm(3, 2);
    going(&mut cluster, "s-worker-1", Phase::Leaving);
    cluster.with_host("s-worker-1", |host| host.left = true);
    cluster.with_host("s-worker-2", |host| host.phase = Phase::Joining);
    list(&mut cluster, "s-worker-2", SwarmNode { labelled: false, ..worker_node() });
    let granted = grants(&cluster);
    assert_eq!(granted.len(), 2);
    for (by, task) in granted {
        cluster.with_host(&by, |host| host.permit = Some(permit(task)));
    }
    assert_eq!(grants(&cluster), []);
}

#[test]
fn a_lost_manager_loses_its_permit_only_if_another_may_do_the_same() {
    let label = Task::UpdateNodes { changes: Vec::new() };
    let remove = Task::RemoveNodes { nodes: Vec::new(), force: true };
    let leave = Task::SwarmLeave { force: false };
    for (task, taken) in [(label, true), (remove, true), (join_task(), false), (leave, false)] {
        let mut cluster = settled_swarm(3, 0);
        cluster.with_host("s-manager-2", |host| host.permit = Some(permit(task.clone())));
        assert_eq!(plan(&cluster), [], "it is connected");
        cluster.with_host("s-manager-2", |host| connected(host, ConditionStatus::False, 0));
        let revoked = plan(&cluster).iter().any(|command| matches!(command, PlanCommand::Revoke { .. }));
        assert_eq!(revoked, taken, "{task:?}");
    }
}
