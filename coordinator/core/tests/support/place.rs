//! Hosts put where a table wants them, without the way there.

use std::net::{IpAddr, Ipv4Addr};

use skep_core::command::Request;
use skep_core::state::{Host, Instance, Permit, Session, SwarmNode, Task};
use skep_types::{
    ClusterTime, ConditionKind, ConditionStatus, CoordinatorId, HostId, InstanceRef, IntentId, NodeId,
    NodeRole, NodeState, PermitId, Phase,
};

use super::build::{DriverSpec, create_hosts, create_swarm, request};
use super::cluster::Cluster;

/// One host, `web`, that was just asked for.
pub(crate) fn lone() -> Cluster {
    let mut cluster = Cluster::founded(DriverSpec::TOKEN);
    cluster.accepted(request("create", Request::CreateHosts(create_hosts("web", 1))));
    cluster
}

/// A swarm `s` that was just asked for: `s-manager-1` and on, `s-worker-1` and on.
pub(crate) fn swarm(managers: u32, workers: u32) -> Cluster {
    let mut cluster = Cluster::founded(DriverSpec::TOKEN);
    cluster.accepted(request("create", Request::CreateSwarm(create_swarm("s", managers, workers))));
    cluster
}

/// The same, with every host a Ready node that its managers list.
pub(crate) fn settled_swarm(managers: u32, workers: u32) -> Cluster {
    let mut cluster = swarm(managers, workers);
    settle(&mut cluster);
    cluster
}

/// Every host becomes a Ready node of its swarm, and every operation succeeds.
pub(crate) fn settle(cluster: &mut Cluster) {
    let hosts: Vec<_> = cluster.state.hosts.values().cloned().collect();
    let mut nodes = Vec::new();
    for host in hosts {
        let mut host = (*host).clone();
        serving(&mut host, Phase::Ready);
        host.node = Some(node_of(host.id));
        host.item_of = None;
        let leader = host.name.as_str() == "s-manager-1";
        let manager = host.role() == Some(NodeRole::Manager);
        nodes.push((node_of(host.id), if manager { manager_node(leader) } else { worker_node() }));
        cluster.state.hosts.insert(host.id, host.into());
    }
    cluster.with_swarm(|swarm| {
        swarm.docker_id = Some("docker".to_owned());
        swarm.nodes.extend(nodes);
    });
    finish_all(cluster);
}

fn finish_all(cluster: &mut Cluster) {
    let operations: Vec<_> = cluster.state.operations.values().cloned().collect();
    for operation in operations {
        let mut operation = (*operation).clone();
        operation.done = operation.items;
        operation.state = skep_types::OperationState::Succeeded;
        operation.verdict = skep_types::Verdict::Committed;
        operation.finished_at = Some(cluster.now);
        cluster.state.operations.insert(operation.id, operation.into());
    }
    cluster.state = std::mem::take(&mut cluster.state).reindexed();
    cluster.changes = skep_core::Changes::default();
}

pub(crate) fn node_of(host: HostId) -> NodeId {
    format!("n{}", host.counter).parse().expect("a node id")
}

pub(crate) fn manager_node(leader: bool) -> SwarmNode {
    SwarmNode { role: Some(NodeRole::Manager), manager: true, reachable: true, leader, ..worker_node() }
}

pub(crate) fn worker_node() -> SwarmNode {
    SwarmNode {
        hostname: String::new(),
        role: Some(NodeRole::Worker),
        state: NodeState::Ready,
        leader: false,
        reachable: false,
        manager: false,
        labelled: true,
    }
}

/// With an instance, a session and an engine.
pub(crate) fn serving(host: &mut Host, phase: Phase) {
    bound(host, phase);
    connect(host, 1, 0);
    host.conditions.set(ConditionKind::EngineReady, ConditionStatus::True, "Ready", "", ClusterTime(0));
}

/// With an instance of an intent that is closed.
pub(crate) fn bound(host: &mut Host, phase: Phase) {
    let [.., last] = host.id.counter.to_be_bytes();
    host.phase = phase;
    host.incarnation = 1;
    host.instance = Some(Instance {
        instance: InstanceRef {
            provider_id: format!("vm-{}", host.id.counter).parse().expect("a provider id"),
            name: host.name.to_string(),
        },
        intent: IntentId::new(1, 1),
        private_address: Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))),
        public_address: None,
        zone: String::new(),
        sealed_kept: None,
        bound_at: ClusterTime(0),
    });
}

pub(crate) fn connect(host: &mut Host, session: u64, since_ms: u64) {
    let (number, coordinator, boot_id) = (session, CoordinatorId(1), String::new());
    host.session = Some(Session { number, coordinator, boot_id, dialled: false });
    connected(host, ConditionStatus::True, since_ms);
}

pub(crate) fn connected(host: &mut Host, status: ConditionStatus, since_ms: u64) {
    host.conditions.set(ConditionKind::AgentConnected, status, "", "", ClusterTime(since_ms));
}

pub(crate) fn permit(task: Task) -> Permit {
    Permit { id: PermitId::new(1, 999), task, granted_at: ClusterTime(0) }
}

pub(crate) fn join_task() -> Task {
    Task::SwarmJoin { advertise: IpAddr::V4(Ipv4Addr::LOCALHOST), managers: Vec::new() }
}
