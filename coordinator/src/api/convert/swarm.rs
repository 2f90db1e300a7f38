//! A swarm record as people see it, counted from its hosts and from what its managers list.

use skep_core::State;
use skep_core::state::{Host, Swarm};
use skep_proto::v1 as pb;
use skep_types::{ClusterTime, NodeRole, NodeState, Phase};

use super::ms;

/// `state` is the one the swarm is of.
pub(in crate::api) fn write(swarm: &Swarm, state: &State, now: ClusterTime) -> pb::Swarm {
    let managers = count(swarm, state, NodeRole::Manager);
    let workers = count(swarm, state, NodeRole::Worker);
    pb::Swarm {
        id: swarm.id.to_string(),
        name: swarm.name.to_string(),
        revision: swarm.revision.to_string(),
        state: label(swarm, state, managers, workers).to_owned(),
        docker_id: swarm.docker_id.clone().unwrap_or_default(),
        managers: managers.hosts,
        managers_ready: managers.ready,
        workers: workers.hosts,
        workers_ready: workers.ready,
        foreign_nodes: foreign_nodes(swarm, state),
        leader: leader(swarm, state),
        age_ms: ms(now.since(swarm.created_at)),
    }
}

/// Hosts of one role, without those on their way out.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    hosts: u32,
    ready: u32,
}

fn count(swarm: &Swarm, state: &State, role: NodeRole) -> Count {
    let members = state.members(swarm.id).filter(|host| host.role() == Some(role) && !host.desired.absent);
    members.fold(Count::default(), |count, host| Count {
        hosts: count.hosts + 1,
        ready: count.ready + u32::from(ready(swarm, host)),
    })
}

/// Whether the host serves, by its own record and by its managers' list.
fn ready(swarm: &Swarm, host: &Host) -> bool {
    let node = host.node.as_ref().and_then(|node| swarm.nodes.get(node));
    let listed = node.is_some_and(|node| {
        node.state == NodeState::Ready && (node.reachable || host.role() == Some(NodeRole::Worker))
    });
    host.phase == Phase::Ready && listed
}

fn label(swarm: &Swarm, state: &State, managers: Count, workers: Count) -> &'static str {
    let being_made = state.operations.get(&swarm.created_by).is_some_and(|made| !made.state.finished());
    if swarm.absent {
        "Deleting"
    } else if managers.hosts > 0 && managers.hosts == managers.ready && workers.hosts == workers.ready {
        "Ready"
    } else if being_made {
        "Forming"
    } else {
        "Degraded"
    }
}

fn foreign_nodes(swarm: &Swarm, state: &State) -> Vec<String> {
    let ours = |node: &skep_types::NodeId| {
        swarm.ghosts.contains(node) || state.index.nodes.contains_key(&(swarm.id, node.clone()))
    };
    swarm.nodes.keys().filter(|node| !ours(node)).map(ToString::to_string).collect()
}

/// The name of the host whose node leads.
fn leader(swarm: &Swarm, state: &State) -> String {
    let node = swarm.nodes.iter().find(|(_, node)| node.leader).map(|(id, _)| id.clone());
    let host = node.and_then(|node| state.index.nodes.get(&(swarm.id, node)).copied());
    host.and_then(|id| state.host(id)).map(|host| host.name.to_string()).unwrap_or_default()
}
