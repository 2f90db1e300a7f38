//! A permit ends with what its host confirmed.

use skep_types::{HostId, NodeId, PermitId};

use super::outcomes::unchanged;
use super::tx::{Tx, bounded};
use crate::command::{PermitResult, Reply};
use crate::state::{Host, Task};

/// How long a host that could not do its one-shot thing waits before it may try again.
const RETRY: std::time::Duration = std::time::Duration::from_secs(2);

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
            // What it changed comes back as an observation.
            Task::UpdateNodes { .. } => tx.update_host(id, |host| host.attempts = 0),
        },
        PermitResult::NotDone { message } => not_done(tx, &host, &task, message),
    }
    Reply::Done
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
    tx.update_host(id, |host| {
        host.attempts = 0;
        host.node = node;
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
    let retry_at = tx.now().after(RETRY);
    tx.update_host(host.id, |host| {
        host.attempts += 1;
        host.retry_at = Some(retry_at);
    });
}
