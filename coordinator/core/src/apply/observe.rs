//! What is true of a host beside its phase, and what managers list.

use std::sync::Arc;

use skep_types::{ConditionKind, ConditionStatus, HostId, NodeId, NodeRole, NodeState, Phase};

use super::permits::may_have;
use super::plans::set_disconnected;
use super::tx::{Tx, bounded};
use crate::command::{NodeListing, Observation, Observed};
use crate::state::{Host, Session};

/// Nodes kept of one swarm's list: what its managers send is bounded before it is believed.
const NODES: usize = 20_000;

pub(super) fn apply(tx: &mut Tx<'_>, observation: &Observation) {
    let Some(host) = tx.state.host(observation.host).cloned() else {
        return;
    };
    let number = observation.session_number;
    if let Observed::Connected { coordinator, boot_id, dialled } = &observation.observed {
        let (coordinator, boot_id) = (*coordinator, bounded(boot_id));
        connected(tx, &host, Session { number, coordinator, boot_id, dialled: *dialled });
        return;
    }
    if host.session.as_ref().is_none_or(|session| session.number != number) {
        return;
    }
    match &observation.observed {
        Observed::Connected { .. } => {}
        Observed::Disconnected => set_disconnected(tx, host.id),
        Observed::Facts(facts) => tx.update_host(host.id, |host| host.facts = Some(Arc::new(facts.clone()))),
        Observed::Engine { status, reason, message } => {
            condition(tx, host.id, ConditionKind::EngineReady, *status, reason, message);
        }
        Observed::Health { status, reason, message } => {
            condition(tx, host.id, ConditionKind::Healthy, *status, reason, message);
        }
        Observed::LocalNode { node } => local_node(tx, &host, node.as_ref()),
        Observed::Nodes(listing) => nodes(tx, &host, listing),
    }
}

fn connected(tx: &mut Tx<'_>, host: &Host, session: Session) {
    let (now, number, coordinator) = (tx.now(), session.number, session.coordinator);
    match &host.session {
        Some(known) if number < known.number => return,
        Some(known) if number == known.number && known.coordinator != coordinator && host.connected() => {
            let message =
                format!("session {number} is open at {} and {coordinator} at once", known.coordinator);
            tx.host_event(host, "DuplicateIdentity", &message);
            condition(
                tx,
                host.id,
                ConditionKind::Healthy,
                ConditionStatus::False,
                "DuplicateIdentity",
                &message,
            );
            return;
        }
        _ => {}
    }
    tx.update_host(host.id, |host| {
        host.session = Some(session);
        host.conditions.set(ConditionKind::AgentConnected, ConditionStatus::True, "Connected", "", now);
    });
}

fn condition(
    tx: &mut Tx<'_>,
    id: HostId,
    kind: ConditionKind,
    status: ConditionStatus,
    reason: &str,
    message: &str,
) {
    let now = tx.now();
    tx.update_host(id, |host| {
        host.conditions.set(kind, status, &bounded(reason), &bounded(message), now);
    });
}

/// The answer to a join may be lost while the join is not: what the engine says it is settles it.
fn local_node(tx: &mut Tx<'_>, host: &Host, node: Option<&NodeId>) {
    let joining = matches!(host.phase, Phase::Joining);
    match (node, &host.node) {
        (Some(node), None) if joining && host.permit.is_none() && may_have(tx, host.id, node) => {
            tx.update_host(host.id, |host| host.node = Some(node.clone()));
        }
        (Some(node), Some(known)) if node != known => {
            tx.host_event(host, "NodeChanged", &format!("was {known}, is {node}"));
        }
        _ => {}
    }
}

/// Only a manager is an authority on its swarm.
fn nodes(tx: &mut Tx<'_>, host: &Host, listing: &NodeListing) {
    let trusted = host
        .membership
        .as_ref()
        .is_some_and(|membership| membership.swarm == listing.swarm && membership.role == NodeRole::Manager);
    if !trusted {
        return;
    }
    tx.update_swarm(listing.swarm, |swarm| {
        for (id, node) in &listing.changed {
            if swarm.nodes.len() < NODES || swarm.nodes.contains_key(id) {
                swarm.nodes.insert(id.clone(), node.clone());
            }
        }
        for id in &listing.gone {
            swarm.nodes.remove(id);
        }
        let nodes = &swarm.nodes;
        swarm.ghosts.retain(|ghost| nodes.contains_key(ghost));
    });
    for (id, node) in &listing.changed {
        node_condition(tx, listing, id, node.state);
    }
    for id in &listing.gone {
        node_condition(tx, listing, id, NodeState::Down);
    }
}

fn node_condition(tx: &mut Tx<'_>, listing: &NodeListing, node: &NodeId, state: NodeState) {
    let Some(host) = tx.state.index.nodes.get(&(listing.swarm, node.clone())).copied() else {
        return;
    };
    let (status, reason) = match state {
        NodeState::Ready => (ConditionStatus::True, "Ready"),
        NodeState::Down => (ConditionStatus::False, "Down"),
        NodeState::Disconnected => (ConditionStatus::False, "Disconnected"),
        NodeState::Unknown => (ConditionStatus::Unknown, "Unknown"),
    };
    condition(tx, host, ConditionKind::NodeReady, status, reason, "");
}
