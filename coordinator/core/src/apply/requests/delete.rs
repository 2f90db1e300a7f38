//! Hosts and swarms are asked to go. Accepted in every phase.

use std::sync::Arc;

use skep_types::{Code, HostId, NodeRole, OperationId, OperationKind, Refusal, SwarmId};

use super::{Opening, open_operation, unchanged_since};
use crate::apply::operations;
use crate::apply::tx::Tx;
use crate::command::RequestMeta;
use crate::state::Host;

pub(super) fn hosts(
    tx: &mut Tx<'_>,
    meta: &RequestMeta,
    hosts: &[HostId],
    force: bool,
) -> Result<OperationId, Refusal> {
    let found = find(tx, meta, hosts)?;
    if !force {
        keeps_a_manager(tx, hosts)?;
    }
    let opening = Opening {
        kind: OperationKind::DeleteHosts,
        subject: &subject(&found),
        swarm: None,
        items: count(hosts),
        rule: None,
    };
    let operation = open_operation(tx, meta, opening);
    for host in hosts {
        go(tx, *host, operation, force);
    }
    Ok(operation)
}

pub(super) fn swarm(tx: &mut Tx<'_>, meta: &RequestMeta, id: SwarmId) -> Result<OperationId, Refusal> {
    let Some(swarm) = tx.state.swarms.get(&id).cloned() else {
        return Err(Refusal::not_found(format!("swarm {id}"), "`skep swarm ls` lists them"));
    };
    unchanged_since(meta, swarm.revision)?;
    let hosts: Vec<HostId> = tx.state.members(id).map(|host| host.id).collect();
    let opening = Opening {
        kind: OperationKind::DeleteSwarm,
        subject: swarm.name.as_str(),
        swarm: Some(id),
        items: count(&hosts),
        rule: None,
    };
    let operation = open_operation(tx, meta, opening);
    tx.update_swarm(id, |swarm| swarm.absent = true);
    for host in hosts {
        go(tx, host, operation, true);
    }
    operations::finish(tx, operation);
    Ok(operation)
}

fn go(tx: &mut Tx<'_>, host: HostId, operation: OperationId, force: bool) {
    operations::supersede(tx, host, operation, |host| {
        host.desired.absent = true;
        host.desired.force |= force;
        host.desired.power = None;
        host.retry_at = None;
    });
}

/// The hosts a request names: all there, each once, none changed since the caller looked.
pub(super) fn find(tx: &Tx<'_>, meta: &RequestMeta, hosts: &[HostId]) -> Result<Vec<Arc<Host>>, Refusal> {
    if hosts.is_empty() {
        return Err(Refusal::field("hosts", "is empty; name at least one host"));
    }
    let mut sorted = hosts.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() != hosts.len() {
        return Err(Refusal::field("hosts", "names a host twice"));
    }
    let find = |id: &HostId| {
        let missing = || Refusal::not_found(format!("host {id}"), "it was deleted meanwhile");
        tx.state.host(*id).cloned().ok_or_else(missing)
    };
    let found: Vec<_> = hosts.iter().map(find).collect::<Result<_, _>>()?;
    found.iter().try_for_each(|host| unchanged_since(meta, host.revision))?;
    Ok(found)
}

/// The only manager goes only with its swarm, or by force.
fn keeps_a_manager(tx: &Tx<'_>, going: &[HostId]) -> Result<(), Refusal> {
    for host in going.iter().filter_map(|id| tx.state.host(*id)) {
        let Some(membership) = host.membership.as_ref().filter(|m| m.role == NodeRole::Manager) else {
            continue;
        };
        let staying = |host: &&Arc<Host>| !going.contains(&host.id) && !host.desired.absent;
        let mut rest = tx.state.members(membership.swarm).filter(staying).peekable();
        if rest.peek().is_some() && !rest.any(|host| host.role() == Some(NodeRole::Manager)) {
            let message = format!("{} is the last manager of its swarm", host.name);
            return Err(Refusal::new(Code::Precondition, message)
                .and("hosts", "delete the whole swarm with `skep swarm rm`, or set force and lose it"));
        }
    }
    Ok(())
}

/// What an operation over several hosts is called after.
pub(super) fn subject(hosts: &[Arc<Host>]) -> String {
    let first = hosts.first().map(|host| host.name.to_string()).unwrap_or_default();
    match hosts.len() {
        0 | 1 => first,
        all => format!("{first} and {} more", all - 1),
    }
}

pub(super) fn count(hosts: &[HostId]) -> u32 {
    u32::try_from(hosts.len()).unwrap_or(u32::MAX)
}
