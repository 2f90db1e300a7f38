//! People, join tokens and coordinators.

use std::sync::Arc;

use skep_types::{ClusterTime, Code, CoordinatorId, Digest, OperationId, PersonName, PersonRole, Refusal};

use super::{administer, unchanged_since};
use crate::apply::tx::Tx;
use crate::command::RequestMeta;
use crate::state::{Coordinator, JoinToken, Person, Subject};

/// Tokens that were not used are dropped when they expire; this many may be open at once.
const JOIN_TOKENS: usize = 64;

pub(super) fn put_person(
    tx: &mut Tx<'_>,
    meta: &RequestMeta,
    name: &PersonName,
    role: PersonRole,
    dismiss_certificates: bool,
) -> Result<OperationId, Refusal> {
    let before = tx.state.people.get(name).cloned();
    if let Some(before) = &before {
        unchanged_since(meta, before.revision)?;
        if before.role == PersonRole::Admin && role != PersonRole::Admin {
            keeps_an_admin(tx, name)?;
        }
    }
    // A name given again must not bring old certificates back to life: generations count up over the cluster's life.
    let certificate_generation = match before {
        Some(before) if !dismiss_certificates => before.certificate_generation,
        _ => tx.state.revision,
    };
    let person =
        Person { name: name.clone(), revision: tx.state.now_revision(), role, certificate_generation };
    tx.state.people.insert(name.clone(), Arc::new(person));
    tx.event(Subject::Cluster, name.as_str(), "PersonPut", role.label());
    Ok(administer(tx, meta, name.as_str()))
}

pub(super) fn remove_person(
    tx: &mut Tx<'_>,
    meta: &RequestMeta,
    name: &PersonName,
) -> Result<OperationId, Refusal> {
    let Some(before) = tx.state.people.get(name).cloned() else {
        return Err(Refusal::not_found(format!("person {name}"), "`skep person ls` lists them"));
    };
    unchanged_since(meta, before.revision)?;
    if before.role == PersonRole::Admin {
        keeps_an_admin(tx, name)?;
    }
    tx.state.people.remove(name);
    tx.event(Subject::Cluster, name.as_str(), "PersonRemoved", "");
    Ok(administer(tx, meta, name.as_str()))
}

fn keeps_an_admin(tx: &Tx<'_>, going: &PersonName) -> Result<(), Refusal> {
    let other = |person: &Arc<Person>| person.role == PersonRole::Admin && person.name != *going;
    if tx.state.people.values().any(other) {
        return Ok(());
    }
    Err(Refusal::new(Code::Precondition, format!("{going} is the last admin; make another one first")))
}

pub(super) fn create_join_token(
    tx: &mut Tx<'_>,
    meta: &RequestMeta,
    token: Digest,
    expires_at: ClusterTime,
) -> Result<OperationId, Refusal> {
    let now = tx.now();
    if expires_at <= now {
        return Err(Refusal::field("life_ms", "is over already"));
    }
    let stale = |token: &JoinToken| token.redeemed_by.is_none() && token.expires_at <= now;
    let stale: Vec<Digest> =
        tx.state.join_tokens.iter().filter(|(_, t)| stale(t)).map(|(id, _)| *id).collect();
    for id in stale {
        tx.state.join_tokens.remove(&id);
    }
    let open = tx.state.join_tokens.values().filter(|token| token.redeemed_by.is_none()).count();
    if open >= JOIN_TOKENS {
        let message = format!("{JOIN_TOKENS} join tokens are open; wait until one expires");
        return Err(Refusal::new(Code::Exhausted, message));
    }
    tx.state.join_tokens.insert(token, JoinToken { expires_at, redeemed_by: None });
    Ok(administer(tx, meta, "join token"))
}

pub(super) fn remove_coordinator(
    tx: &mut Tx<'_>,
    meta: &RequestMeta,
    id: CoordinatorId,
) -> Result<OperationId, Refusal> {
    let Some(before) = tx.state.coordinators.get(&id).filter(|coordinator| !coordinator.removed).cloned()
    else {
        return Err(Refusal::not_found(format!("coordinator {id}"), "`skep cluster status` lists them"));
    };
    unchanged_since(meta, before.revision)?;
    if tx.state.coordinators.values().filter(|coordinator| !coordinator.removed).count() == 1 {
        return Err(Refusal::new(Code::Precondition, format!("{id} is the last coordinator")));
    }
    let gone =
        Coordinator { removed: true, revision: tx.state.now_revision(), ..Coordinator::clone(&before) };
    tx.state.coordinators.insert(id, Arc::new(gone));
    tx.event(Subject::Cluster, &id.to_string(), "CoordinatorRemoved", "");
    Ok(administer(tx, meta, &id.to_string()))
}
