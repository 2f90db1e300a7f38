//! Mutations: the same request id once, its audit record in any case, and one operation for it.

mod account;
mod admin;
mod create;
mod delete;
mod power;

use std::sync::Arc;

use skep_types::{
    Code, OperationId, OperationKind, OperationState, Refusal, Revision, SwarmId, Verdict, limits,
};

use super::operations;
use super::tx::{Tx, bounded};
use crate::command::{Reply, Request, RequestCommand, RequestMeta};
use crate::state::{AuditRecord, CreateRule, Operation};

pub(super) fn apply(tx: &mut Tx<'_>, command: &RequestCommand) -> Reply {
    let meta = &command.meta;
    let result = repeated(tx, meta).unwrap_or_else(|| {
        admitted(tx, meta)?;
        carry_out(tx, meta, &command.request)
    });
    audit(tx, meta, result.as_ref().err());
    match result {
        Ok(operation) => Reply::Accepted(operation),
        Err(refusal) => Reply::Refused(refusal),
    }
}

/// The answer that the same request id got before.
fn repeated(tx: &Tx<'_>, meta: &RequestMeta) -> Option<Result<OperationId, Refusal>> {
    let id = tx.state.index.requests.get(&meta.request_id)?;
    let operation = tx.state.operations.get(id)?;
    if operation.body == meta.body && operation.actor == meta.actor {
        return Some(Ok(*id));
    }
    let refusal = Refusal::new(Code::Conflict, "this request id was used for another request").and(
        "mutation.request_id",
        format!("was used by {id}; choose a new one, or send the same body again"),
    );
    Some(Err(refusal))
}

/// Checked again here: the person may have been dismissed since the edge looked.
fn admitted(tx: &Tx<'_>, meta: &RequestMeta) -> Result<(), Refusal> {
    match tx.state.people.get(&meta.actor) {
        Some(person) if person.certificate_generation <= meta.generation => Ok(()),
        _ => Err(Refusal::new(
            Code::Forbidden,
            format!("{} is not, or no longer, a person of this cluster", meta.actor),
        )),
    }
}

fn carry_out(tx: &mut Tx<'_>, meta: &RequestMeta, request: &Request) -> Result<OperationId, Refusal> {
    match request {
        Request::CreateHosts(create) => create::hosts(tx, meta, create),
        Request::CreateSwarm(create) => create::swarm(tx, meta, create),
        Request::DeleteHosts { hosts, force } => delete::hosts(tx, meta, hosts, *force),
        Request::DeleteSwarm { swarm } => delete::swarm(tx, meta, *swarm),
        Request::PowerHosts { hosts, action } => power::hosts(tx, meta, hosts, *action),
        Request::PutPerson { name, role, dismiss_certificates } => {
            admin::put_person(tx, meta, name, *role, *dismiss_certificates)
        }
        Request::RemovePerson { name } => admin::remove_person(tx, meta, name),
        Request::CreateJoinToken { token, expires_at } => {
            admin::create_join_token(tx, meta, *token, *expires_at)
        }
        Request::RemoveCoordinator { coordinator } => admin::remove_coordinator(tx, meta, *coordinator),
        Request::AddAccount(add) => account::add(tx, meta, add),
        Request::RemoveAccount { account } => account::remove(tx, meta, account),
        Request::SetAccountLimits { account, limits } => account::set_limits(tx, meta, account, limits),
        Request::RotateCredentials { account, credentials } => {
            account::rotate(tx, meta, account, credentials)
        }
    }
}

fn audit(tx: &mut Tx<'_>, meta: &RequestMeta, refusal: Option<&Refusal>) {
    let record = AuditRecord {
        revision: tx.state.now_revision(),
        at: tx.now(),
        actor: meta.actor.clone(),
        peer: bounded(&meta.peer),
        method: bounded(&meta.method),
        request_id: meta.request_id.clone(),
        body: meta.body,
        verdict: refusal.map_or_else(|| "accepted".to_owned(), |refusal| bounded(&refusal.to_string())),
    };
    tx.state.audit.push_back(Arc::new(record));
    if tx.state.audit.len() > limits::EVENTS_KEPT {
        tx.state.audit.pop_front();
    }
}

/// The operation of an accepted request.
struct Opening<'a> {
    kind: OperationKind,
    subject: &'a str,
    swarm: Option<SwarmId>,
    items: u32,
    rule: Option<CreateRule>,
}

fn open_operation(tx: &mut Tx<'_>, meta: &RequestMeta, opening: Opening<'_>) -> OperationId {
    let id = OperationId::new(tx.state.epoch, tx.allocate());
    let operation = Operation {
        id,
        revision: tx.state.now_revision(),
        kind: opening.kind,
        request_id: meta.request_id.clone(),
        body: meta.body,
        actor: meta.actor.clone(),
        subject: opening.subject.to_owned(),
        swarm: opening.swarm,
        created_at: tx.now(),
        finished_at: None,
        state: OperationState::Running,
        verdict: Verdict::Undecided,
        rule: opening.rule,
        items: opening.items,
        done: 0,
        failed: 0,
        bound: 0,
        managers_bound: 0,
        failures: Vec::new(),
    };
    tx.state.index.requests.insert(meta.request_id.clone(), id);
    tx.state.operations.insert(id, Arc::new(operation));
    tx.changes.operations.insert(id);
    id
}

/// An operation that is done with its entry.
fn administer(tx: &mut Tx<'_>, meta: &RequestMeta, subject: &str) -> OperationId {
    let opening = Opening { kind: OperationKind::Administer, subject, swarm: None, items: 0, rule: None };
    let id = open_operation(tx, meta, opening);
    tx.changes.cluster = true;
    operations::finish(tx, id);
    id
}

fn unchanged_since(meta: &RequestMeta, revision: Revision) -> Result<(), Refusal> {
    match meta.if_revision {
        Some(wanted) if wanted != revision => Err(Refusal::new(Code::Conflict, "it has changed meanwhile")
            .and(
                "mutation.if_revision",
                format!("is {wanted}, but the object is at {revision}; read it again"),
            )),
        _ => Ok(()),
    }
}
