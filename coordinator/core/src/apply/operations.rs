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
    /// Counted now, and left to a person, whatever the operation would do with a failure.
    Ambiguous(String),
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
        Outcome::Ambiguous(reason) => {
            note_failure(tx, &host, operation.id, &reason);
            // An abort may have wanted it absent; from here on only a person decides.
            tx.update_host(id, |host| host.desired.absent = false);
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
    let create = operation.kind.creates();
    match &host.phase {
        Phase::Quarantined { reason } if moved && (create || operation.kind == OperationKind::PowerHosts) => {
            Outcome::Ambiguous(format!("quarantined: {reason}"))
        }
        Phase::Failed { .. } if create && host.desired.absent => Outcome::Running,
        Phase::Failed { class, message } if moved => {
            let reason = format!("{}: {message}", class.label());
            match (operation.kind, operation.rule.map(|rule| rule.on_failure)) {
                (OperationKind::PowerHosts, _) => Outcome::Failed(reason),
                (_, Some(OnFailure::Delete)) if create => Outcome::FailedAndGoing(reason),
                _ if create => Outcome::Failed(reason),
                _ => Outcome::Running,
            }
        }
        Phase::Ready if create => Outcome::Done,
        _ if operation.kind == OperationKind::PowerHosts && host.desired.power.is_none() => Outcome::Done,
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

/// Whatever becomes of the host, what was asked for is over and was not done.
pub(super) fn given_up(tx: &mut Tx<'_>, host: &Host, reason: &str) {
    if let Some(operation) = host.item_of {
        note_failure(tx, host, operation, reason);
        settle(tx, host, operation, false);
        decide(tx, operation);
    }
}

/// Another operation takes the host over, with what it wants of it, at once: the one before it has failed to bring the
/// host where it should be.
pub(super) fn supersede(tx: &mut Tx<'_>, id: HostId, by: OperationId, wish: impl FnOnce(&mut Host)) {
    let Some(host) = tx.state.host(id).cloned() else {
        return;
    };
    let before = host.item_of.and_then(|id| tx.state.operations.get(&id).cloned());
    if let Some(before) = &before {
        // What a create gave up by itself was noted then.
        if !(before.kind.creates() && host.desired.absent) {
            note_failure(tx, &host, before.id, "taken over by a later request");
        }
        count(tx, before.id, false);
    }
    tx.update_host(id, |host| {
        host.item_of = Some(by);
        wish(host);
    });
    if let Some(before) = before {
        decide(tx, before.id);
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
        uncount_bound(operation, host);
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

/// Until the verdict, an instance counts only as long as its host may still become one of the wanted ones.
fn uncount_bound(operation: &mut Operation, host: &Host) {
    let counted = host.instance.is_some() && host.created_by == operation.id;
    if counted && operation.verdict == Verdict::Undecided {
        operation.bound = operation.bound.saturating_sub(1);
        let manager = host.role() == Some(NodeRole::Manager);
        operation.managers_bound = operation.managers_bound.saturating_sub(u32::from(manager));
    }
}

/// The verdict, once; then the end, once.
fn decide(tx: &mut Tx<'_>, id: OperationId) {
    let Some(operation) = tx.state.operations.get(&id).cloned() else {
        return;
    };
    match verdict(tx, &operation) {
        Some(Verdict::Committed) => commit(tx, &operation),
        Some(Verdict::Aborted) => abort(tx, &operation),
        Some(Verdict::Undecided) | None => {}
    }
    finish(tx, id);
}

/// The verdict to give now, if it is time.
fn verdict(tx: &Tx<'_>, operation: &Operation) -> Option<Verdict> {
    let rule = operation.rule.filter(|_| operation.verdict == Verdict::Undecided)?;
    let lost: u32 = operation.failures.iter().map(|group| group.count).sum();
    let too_many = rule.max_failures.is_some_and(|max| lost > max);
    let too_few = operation.items.saturating_sub(lost) < rule.needed;
    if too_many || too_few || lost > 0 && manager_lost(tx, operation, rule.managers) {
        return Some(Verdict::Aborted);
    }
    let enough = operation.bound >= rule.needed && operation.managers_bound >= rule.managers;
    enough.then_some(Verdict::Committed)
}

/// Whether the swarm can no longer have all its managers. They were made first, so they have the lowest ids.
fn manager_lost(tx: &Tx<'_>, operation: &Operation, managers: u32) -> bool {
    let (Some(swarm), Ok(managers)) = (operation.swarm, usize::try_from(managers)) else {
        return false;
    };
    let hopeful = |host: &&Arc<Host>| {
        let given_up = matches!(host.phase, Phase::Failed { .. } | Phase::Quarantined { .. });
        host.role() == Some(NodeRole::Manager) && !given_up && !host.desired.absent
    };
    tx.state.members(swarm).take(managers).filter(hopeful).count() < managers
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
    for host in to_abort(tx, operation.id) {
        tx.update_host(host, |host| host.desired.absent = true);
    }
    if let Some(swarm) = operation.swarm {
        tx.update_swarm(swarm, |swarm| swarm.absent = true);
    }
}

/// All items; and of those that failed before, what would leave an instance or a member behind. A failed host of which
/// nothing exists stays for a person to look at. A look at every host is affordable: an operation aborts once.
fn to_abort(tx: &Tx<'_>, operation: OperationId) -> Vec<HostId> {
    let goes = |host: &&Arc<Host>| {
        let ambiguous = matches!(host.phase, Phase::Quarantined { .. });
        let item = match host.item_of {
            Some(by) => by == operation,
            None => host.instance.is_some() || host.membership.is_some(),
        };
        host.created_by == operation && item && !ambiguous
    };
    tx.state.hosts.values().filter(goes).map(|host| host.id).collect()
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
