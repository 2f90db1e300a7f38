//! A permit ends with what its host confirmed.

use std::time::Duration;

use skep_types::{HostId, NodeId, PermitId};

use super::outcomes::unchanged;
use super::tx::{Tx, bounded};
use crate::command::{PermitResult, Reply};
use crate::plan::swarm::HOST_LABEL;
use crate::state::{Host, NodeChange, Task};

/// How long a host that could not do what it was permitted waits before it may try again: doubled with every failure, for
/// a swarm without a leader may stay so until a person comes.
const RETRY_FIRST: Duration = Duration::from_secs(2);
const RETRY_MAX: Duration = Duration::from_secs(30);

pub(super) fn close(tx: &mut Tx<'_>, id: HostId, permit: PermitId, result: &PermitResult) -> Reply {
    let Some(host) = tx.state.host(id).cloned() else {
        return unchanged("the host is gone");
    };
    let Some(open) = host.permit.as_ref().filter(|open| open.id == permit) else {
        return unchanged("the permit was closed before");
    };
    let task = open.task.clone();
    tx.update_host(id, |host| host.permit = None);
    match result {
        PermitResult::Done { node, swarm_id, sealed_worker_token } => match task {
            Task::SwarmInit { .. } => {
                initialised(tx, &host, swarm_id.clone(), sealed_worker_token.clone());
                joined(tx, id, node.clone());
            }
            Task::SwarmJoin { .. } => joined(tx, id, node.clone()),
            Task::SwarmLeave { .. } => tx.update_host(id, |host| host.left = true),
            Task::RemoveNodes { nodes, .. } => removed(tx, &host, &nodes),
            Task::UpdateNodes { changes } => updated(tx, &host, &changes),
        },
        PermitResult::NotDone { message } => not_done(tx, &host, &task, message),
    }
    Reply::Done
}

/// A node belongs to one host: an agent that claims another host's gets nothing.
pub(super) fn may_have(tx: &mut Tx<'_>, id: HostId, node: &NodeId) -> bool {
    let Some(host) = tx.state.host(id).cloned() else {
        return false;
    };
    let owner = host.membership.as_ref().and_then(|m| tx.state.index.nodes.get(&(m.swarm, node.clone())));
    match owner {
        Some(owner) if *owner != id => {
            let message = format!("node {node} is {owner}'s");
            tx.host_event(&host, "NodeRefused", &message);
            false
        }
        _ => true,
    }
}

fn initialised(tx: &mut Tx<'_>, host: &Host, docker_id: Option<String>, token: Option<Vec<u8>>) {
    let Some(membership) = &host.membership else {
        return;
    };
    tx.update_swarm(membership.swarm, |swarm| {
        swarm.docker_id = docker_id;
        swarm.worker_token = token;
    });
    tx.host_event(host, "SwarmInitialised", "");
}

fn joined(tx: &mut Tx<'_>, id: HostId, node: Option<NodeId>) {
    let node = node.filter(|node| may_have(tx, id, node));
    tx.update_host(id, |host| {
        host.attempts = 0;
        host.node = node;
    });
}

/// The manager has written it; its next list confirms it. Until then nobody may plan on the roles of before: that could
/// begin a second change of managers.
fn updated(tx: &mut Tx<'_>, host: &Host, changes: &[NodeChange]) {
    tx.update_host(host.id, |host| host.attempts = 0);
    let Some(membership) = &host.membership else {
        return;
    };
    tx.update_swarm(membership.swarm, |swarm| {
        for change in changes {
            if let Some(node) = swarm.nodes.get_mut(&change.node) {
                node.role = change.role.or(node.role);
                node.labelled |= change.labels.iter().any(|(key, _)| key == HOST_LABEL);
            }
        }
    });
}

fn removed(tx: &mut Tx<'_>, host: &Host, nodes: &[NodeId]) {
    let Some(membership) = &host.membership else {
        return;
    };
    tx.update_swarm(membership.swarm, |swarm| {
        for node in nodes {
            swarm.nodes.remove(node);
        }
        swarm.ghosts.retain(|ghost| !nodes.contains(ghost));
    });
}

fn not_done(tx: &mut Tx<'_>, host: &Host, task: &Task, message: &str) {
    tx.host_event(host, "PermitNotDone", &bounded(&format!("{}: {message}", task.label())));
    if let (Task::SwarmInit { .. }, Some(membership)) = (task, &host.membership) {
        tx.update_swarm(membership.swarm, |swarm| swarm.init_host = None);
    }
    let now = tx.now();
    tx.update_host(host.id, |host| {
        host.attempts += 1;
        let doubled = RETRY_FIRST.saturating_mul(1 << (host.attempts - 1).min(4));
        host.retry_at = Some(now.after(doubled.min(RETRY_MAX)));
    });
}
