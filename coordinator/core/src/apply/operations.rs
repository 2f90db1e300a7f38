//! Operations follow their hosts: counters, the one sticky verdict, and the end.

use std::sync::Arc;

use skep_types::{
    HostId, NodeRole, OnFailure, OperationId, OperationKind, OperationState, Phase, Verdict, limits,
};

use super::tx::Tx;
use crate::state::{FailureGroup, Host, Operation, Subject};

/// What a host's new place means for the operation that waits for it.
enum Outcome {
    Running,
    Done,
    /// Counted now, and the host stays as it is.
    Failed(String),
    /// Noted now, counted when the host is gone.
    FailedAndGoing(String),
}

pub(super) fn host_changed(tx: &mut Tx<'_>, id: HostId, moved: bool) {
    let Some(host) = tx.state.host(id).cloned() else {
        return;
    };
    let Some(operation) = host.item_of.and_then(|id| tx.state.operations.get(&id).cloned()) else {
        return;
    };
    match outcome(&host, &operation, moved) {
        Outcome::Running => {}
        Outcome::Done => settle(tx, &host, operation.id, true),
        Outcome::Failed(reason) => {
            note_failure(tx, &host, operation.id, &reason);
            settle(tx, &host, operation.id, false);
        }
        Outcome::FailedAndGoing(reason) => {
            note_failure(tx, &host, operation.id, &reason);
            tx.update_host(id, |host| host.desired.absent = true);
        }
    }
    decide(tx, operation.id);
}

fn outcome(host: &Host, operation: &Operation, moved: bool) -> Outcome {
    let failure = match &host.phase {
        Phase::Failed { class, message } => Some(format!("{}: {message}", class.label())),
        Phase::Quarantined { reason } => Some(format!("quarantined: {reason}")),
        _ => None,
    };
    match (operation.kind, failure) {
        (OperationKind::CreateHosts | OperationKind::CreateSwarm, Some(_)) if host.desired.absent => {
            Outcome::Running
        }
        (OperationKind::CreateHosts | OperationKind::CreateSwarm, Some(reason)) if moved => {
            match operation.rule.map(|rule| rule.on_failure) {
                Some(OnFailure::Delete) => Outcome::FailedAndGoing(reason),
                _ => Outcome::Failed(reason),
            }
        }
        (OperationKind::CreateHosts | OperationKind::CreateSwarm, None) if host.phase == Phase::Ready => {
            Outcome::Done
        }
        (OperationKind::PowerHosts, Some(reason)) if moved => Outcome::Failed(reason),
        (OperationKind::PowerHosts, None) if host.desired.power.is_none() => Outcome::Done,
        _ => Outcome::Running,
    }
}

pub(super) fn host_removed(tx: &mut Tx<'_>, host: &Host) {
    let Some(operation) = host.item_of.and_then(|id| tx.state.operations.get(&id).cloned()) else {
        return;
    };
    let wanted = matches!(operation.kind, OperationKind::DeleteHosts | OperationKind::DeleteSwarm);
    if !wanted && !matches!(host.phase, Phase::Failed { .. } | Phase::Deleting { .. }) {
        note_failure(tx, host, operation.id, "deleted before it was ready");
    }
    count(tx, operation.id, wanted);
    decide(tx, operation.id);
}

/// Another operation takes the host over: the one before it has failed to bring it where it should be.
pub(super) fn supersede(tx: &mut Tx<'_>, id: HostId, by: OperationId) {
    let Some(host) = tx.state.host(id).cloned() else {
        return;
    };
    if let Some(before) = host.item_of {
        note_failure(tx, &host, before, "taken over by a later request");
        count(tx, before, false);
    }
    tx.update_host(id, |host| host.item_of = Some(by));
    if let Some(before) = host.item_of {
        decide(tx, before);
    }
}

/// An instance was bound to a host of the operation that made it.
pub(super) fn host_bound(tx: &mut Tx<'_>, host: &Host) {
    let manager = host.role() == Some(NodeRole::Manager);
    tx.update_operation(host.created_by, |operation| {
        operation.bound += 1;
        operation.managers_bound += u32::from(manager);
    });
    decide(tx, host.created_by);
}

fn settle(tx: &mut Tx<'_>, host: &Host, operation: OperationId, done: bool) {
    tx.update_host(host.id, |host| host.item_of = None);
    count(tx, operation, done);
}

fn count(tx: &mut Tx<'_>, id: OperationId, done: bool) {
    tx.update_operation(id, |operation| {
        operation.done += u32::from(done);
        operation.failed += u32::from(!done);
    });
}

fn note_failure(tx: &mut Tx<'_>, host: &Host, id: OperationId, reason: &str) {
    tx.update_operation(id, |operation| {
        let known = operation.failures.iter().position(|group| group.reason == reason);
        let full = operation.failures.len() >= Operation::FAILURE_GROUPS;
        match known.or(full.then_some(Operation::FAILURE_GROUPS - 1)) {
            Some(at) => operation.failures[at].count += 1,
            None => {
                let reason =
                    if operation.failures.len() + 1 == Operation::FAILURE_GROUPS { "other" } else { reason };
                let example = host.name.to_string();
                operation.failures.push(FailureGroup { reason: reason.to_owned(), count: 1, example });
            }
        }
    });
}

/// The verdict, once; then the end, once.
fn decide(tx: &mut Tx<'_>, id: OperationId) {
    let Some(operation) = tx.state.operations.get(&id).cloned() else {
        return;
    };
    match verdict(&operation) {
        Some(Verdict::Committed) => commit(tx, &operation),
        Some(Verdict::Aborted) => abort(tx, &operation),
        Some(Verdict::Undecided) | None => {}
    }
    finish(tx, id);
}

/// The verdict to give now, if it is time.
fn verdict(operation: &Operation) -> Option<Verdict> {
    let rule = operation.rule.filter(|_| operation.verdict == Verdict::Undecided)?;
    let lost: u32 = operation.failures.iter().map(|group| group.count).sum();
    let too_many = rule.max_failures.is_some_and(|max| lost > max);
    if too_many || operation.items.saturating_sub(lost) < rule.needed {
        return Some(Verdict::Aborted);
    }
    let enough = operation.bound >= rule.needed && operation.managers_bound >= rule.managers;
    enough.then_some(Verdict::Committed)
}

fn commit(tx: &mut Tx<'_>, operation: &Arc<Operation>) {
    tx.update_operation(operation.id, |operation| operation.verdict = Verdict::Committed);
    // Hosts that waited for the verdict look again.
    let hosts: Vec<HostId> = tx.state.items(operation.id).map(|host| host.id).collect();
    tx.changes.hosts.extend(hosts);
}

fn abort(tx: &mut Tx<'_>, operation: &Arc<Operation>) {
    tx.update_operation(operation.id, |operation| operation.verdict = Verdict::Aborted);
    tx.event(Subject::Operation(operation.id), &operation.subject, "Aborted", "too few hosts could be made");
    let hosts: Vec<HostId> = tx.state.items(operation.id).map(|host| host.id).collect();
    for host in hosts {
        tx.update_host(host, |host| host.desired.absent = true);
    }
    if let Some(swarm) = operation.swarm {
        tx.update_swarm(swarm, |swarm| swarm.absent = true);
    }
}

pub(super) fn finish(tx: &mut Tx<'_>, id: OperationId) {
    let now = tx.now();
    let ended = |operation: &Operation| operation.settled() && !operation.state.finished();
    let Some(operation) = tx.state.operations.get(&id).filter(|operation| ended(operation)).cloned() else {
        return;
    };
    let state = end_state(&operation);
    tx.update_operation(id, |operation| {
        operation.state = state;
        operation.finished_at = Some(now);
    });
    tx.event(Subject::Operation(id), &operation.subject, state.label(), operation.kind.label());
    tx.state.index.finished.insert((now, id));
    forget_oldest(tx);
}

fn end_state(operation: &Operation) -> OperationState {
    let needed = operation.rule.map_or(u32::from(operation.items > 0), |rule| rule.needed);
    match (operation.verdict, operation.failed) {
        (Verdict::Aborted, _) => OperationState::Failed,
        (_, 0) => OperationState::Succeeded,
        _ if operation.done >= needed => OperationState::PartlyFailed,
        _ => OperationState::Failed,
    }
}

/// A request id is remembered as long as its operation.
fn forget_oldest(tx: &mut Tx<'_>) {
    while tx.state.index.finished.len() > limits::FINISHED_OPERATIONS_KEPT {
        let Some((at, id)) = tx.state.index.finished.get_min().copied() else {
            return;
        };
        tx.state.index.finished.remove(&(at, id));
        if let Some(operation) = tx.state.operations.remove(&id) {
            tx.state.index.requests.remove(&operation.request_id);
        }
    }
}
