//! Turns in a swarm.

mod managers;
mod removals;

use skep_core::command::PlanCommand;
use skep_core::plan::swarm;
use skep_core::state::{SwarmNode, Task};
use skep_types::{ClusterTime, ConditionStatus, FailureClass, NodeId, NodeRole, Phase, limits};

use crate::support::Cluster;
use crate::support::place::{
    connected, join_task, manager_node, node_of, permit, serving, settled_swarm, swarm as fresh_swarm,
};

fn plan(cluster: &Cluster) -> Vec<PlanCommand> {
    swarm::plan(&cluster.view(), cluster.swarm()).0
}

/// Who may do what, by name.
fn grants(cluster: &Cluster) -> Vec<(String, Task)> {
    let name = |id| cluster.state.host(id).expect("a host").name.to_string();
    let grant = |command| match command {
        PlanCommand::Grant { guard, task } => Some((name(guard.host), task)),
        _ => None,
    };
    plan(cluster).into_iter().filter_map(grant).collect()
}

fn node(cluster: &Cluster, name: &str) -> NodeId {
    node_of(cluster.id(name))
}

fn list(cluster: &mut Cluster, name: &str, listed: SwarmNode) {
    let id = node(cluster, name);
    cluster.with_swarm(|swarm| {
        swarm.nodes.insert(id, listed);
    });
}

/// Asked to go, and as far as `phase`.
fn going(cluster: &mut Cluster, name: &str, phase: Phase) {
    cluster.with_host(name, |host| {
        host.phase = phase;
        host.desired.absent = true;
    });
}

fn roles(cluster: &Cluster) -> Vec<(String, NodeId, NodeRole)> {
    let mut all = Vec::new();
    for (by, task) in grants(cluster) {
        if let Task::UpdateNodes { changes } = task {
            all.extend(
                changes.into_iter().filter_map(|change| Some((by.clone(), change.node, change.role?))),
            );
        }
    }
    all
}

fn removals(cluster: &Cluster) -> Vec<NodeId> {
    let removed = |(_, task)| match task {
        Task::RemoveNodes { nodes, .. } => nodes,
        _ => Vec::new(),
    };
    grants(cluster).into_iter().flat_map(removed).collect()
}

fn fresh(managers: u32, workers: u32) -> Cluster {
    let mut cluster = fresh_swarm(managers, workers);
    let names: Vec<String> = cluster.state.hosts.values().map(|host| host.name.to_string()).collect();
    for name in names {
        cluster.with_host(&name, |host| serving(host, Phase::Joining));
    }
    cluster
}

#[test]
fn init_is_for_one_manager() {
    let cluster = fresh(3, 2);
    let grants = grants(&cluster);
    assert_eq!(grants.len(), 1);
    assert_eq!(grants[0].0, "s-manager-1");
    assert!(matches!(grants[0].1, Task::SwarmInit { .. }));
}

/// It may have done it: the right moves only when it says no, or is gone.
#[test]
fn init_stays_with_the_host_that_has_it() {
    let mut cluster = fresh(3, 0);
    let first = cluster.id("s-manager-1");
    cluster.with_swarm(|swarm| swarm.init_host = Some(first));
    cluster.with_host("s-manager-1", |host| connected(host, ConditionStatus::False, 0));
    assert_eq!(grants(&cluster), []);
    cluster.with_swarm(|swarm| swarm.init_host = None);
    assert_eq!(grants(&cluster)[0].0, "s-manager-2");
}

#[test]
fn a_host_that_is_to_go_does_not_init() {
    let mut cluster = fresh(1, 0);
    cluster.with_host("s-manager-1", |host| host.desired.absent = true);
    assert_eq!(grants(&cluster), []);
}

/// One manager, initialised; everybody else at the gate.
fn at_the_gate(workers: u32) -> Cluster {
    let mut cluster = fresh(1, workers);
    let id = node(&cluster, "s-manager-1");
    cluster.with_host("s-manager-1", |host| {
        host.phase = Phase::Ready;
        host.node = Some(id);
    });
    cluster.with_swarm(|swarm| swarm.docker_id = Some("docker".to_owned()));
    list(&mut cluster, "s-manager-1", manager_node(true));
    cluster
}

fn joins(cluster: &Cluster) -> usize {
    grants(cluster).iter().filter(|(_, task)| matches!(task, Task::SwarmJoin { .. })).count()
}

#[test]
fn the_gate_lets_four_in_at_once() {
    let mut cluster = at_the_gate(9);
    assert_eq!(joins(&cluster), limits::JOIN_GATE);
    for name in ["s-worker-1", "s-worker-2", "s-worker-3"] {
        cluster.with_host(name, |host| host.permit = Some(permit(join_task())));
    }
    assert_eq!(joins(&cluster), 1);
}

/// Failed with its permit: its agent may come back and say what became of it, but nobody waits for that.
#[test]
fn who_failed_at_the_gate_does_not_block_it() {
    let mut cluster = at_the_gate(9);
    for name in ["s-worker-1", "s-worker-2", "s-worker-3", "s-worker-4"] {
        cluster.with_host(name, |host| {
            host.permit = Some(permit(join_task()));
            host.phase = Phase::Failed { class: FailureClass::Join, message: String::new() };
        });
    }
    assert_eq!(joins(&cluster), limits::JOIN_GATE);
}

#[test]
fn nobody_joins_without_a_manager_that_answers() {
    let mut cluster = at_the_gate(2);
    list(&mut cluster, "s-manager-1", SwarmNode { reachable: false, ..manager_node(true) });
    assert_eq!(joins(&cluster), 0);
}

#[test]
fn a_pause_is_kept_and_ends() {
    let mut cluster = at_the_gate(1);
    cluster.with_host("s-worker-1", |host| host.retry_at = Some(ClusterTime(4_000)));
    assert_eq!(joins(&cluster), 0);
    let wake = swarm::plan(&cluster.view(), cluster.swarm()).1;
    assert_eq!(wake, [(ClusterTime(4_000), cluster.id("s-worker-1"))]);
    cluster.now = ClusterTime(4_000);
    assert_eq!(joins(&cluster), 1);
}

#[test]
fn a_swarm_that_is_to_go_is_left_alone_and_forgotten_with_its_last_host() {
    let mut cluster = settled_swarm(3, 1);
    going(&mut cluster, "s-worker-1", Phase::Leaving);
    cluster.with_swarm(|swarm| swarm.absent = true);
    assert_eq!(plan(&cluster), []);
    cluster.state.hosts.clear();
    cluster.state = cluster.state.clone().reindexed();
    assert_eq!(plan(&cluster), [PlanCommand::ForgetSwarm { swarm: cluster.swarm().id }]);
}

#[test]
fn a_settled_swarm_is_left_in_peace() {
    let cluster = settled_swarm(5, 3);
    assert_eq!(plan(&cluster), []);
    let changes = cluster.view().everything();
    assert_eq!(cluster.view().plan(&changes), skep_core::plan::Plan::default());
}
