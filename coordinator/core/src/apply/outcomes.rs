//! What drivers did. Only the current owner's epoch counts, and only while the intent is Open.

mod addressed;
mod bind;
mod close_create;
mod close_targets;

use std::sync::Arc;

use skep_types::{AccountName, ConditionKind, ConditionStatus, InstanceRef, IntentId, Phase};

use super::intents;
use super::tx::{Tx, bounded};
use crate::command::{OutcomeCommand, Reply};
use crate::state::{Host, Intent, IntentKind, Shard, Target};

pub(super) fn apply(tx: &mut Tx<'_>, command: &OutcomeCommand) -> Reply {
    match command {
        OutcomeCommand::MarkAttempted { intent, epoch, attempt } => {
            with_open(tx, *intent, *epoch, |tx, intent| mark_attempted(tx, intent, *attempt))
        }
        OutcomeCommand::Hold { intent, epoch, problem } => {
            with_open(tx, *intent, *epoch, |tx, intent| hold(tx, intent, problem.as_deref()))
        }
        OutcomeCommand::Bind { intent, epoch, placements } => {
            with_open(tx, *intent, *epoch, |tx, intent| bind::bind(tx, intent, placements))
        }
        OutcomeCommand::Remains { intent, epoch, placements, reason } => {
            with_open(tx, *intent, *epoch, |tx, intent| bind::remains(tx, intent, placements, reason))
        }
        OutcomeCommand::CloseCreate { intent, epoch, shortfall } => {
            with_open(tx, *intent, *epoch, |tx, intent| close_create::close(tx, intent, shortfall.as_ref()))
        }
        OutcomeCommand::CloseTargets { intent, epoch, results } => {
            with_open(tx, *intent, *epoch, |tx, intent| close_targets::close(tx, intent, results))
        }
        OutcomeCommand::DestroyOrphan { account, epoch, instance, intent } => {
            destroy_orphan(tx, account, *epoch, instance, *intent)
        }
        OutcomeCommand::Addressed { account, epoch, instances } => {
            addressed::apply(tx, account, *epoch, instances)
        }
    }
}

fn with_open(
    tx: &mut Tx<'_>,
    id: IntentId,
    epoch: u64,
    act: impl FnOnce(&mut Tx<'_>, &Arc<Intent>) -> Reply,
) -> Reply {
    let Some(intent) = tx.state.intents.get(&id).cloned() else {
        return unchanged("the intent is closed");
    };
    if !is_owner(tx, &intent.account, intent.shard, epoch) {
        return unchanged("the account has another owner by now");
    }
    act(tx, &intent)
}

fn is_owner(tx: &Tx<'_>, account: &AccountName, shard: Shard, epoch: u64) -> bool {
    let owner = tx.state.accounts.get(account).and_then(|account| account.owner(shard));
    owner.is_some_and(|owner| owner.epoch == epoch)
}

pub(super) fn unchanged(why: &str) -> Reply {
    Reply::Unchanged(why.to_owned())
}

fn mark_attempted(tx: &mut Tx<'_>, intent: &Arc<Intent>, attempt: u64) -> Reply {
    if !intent.attempted {
        replace(tx, Intent { attempted: true, attempt, ..Intent::clone(intent) });
    } else if attempt == 0 || intent.attempt != attempt {
        return unchanged("the attempt is under way, or was lost");
    }
    Reply::Done
}

/// Shown on the hosts: nothing else tells people why a call is not made, or made again and again.
fn hold(tx: &mut Tx<'_>, intent: &Arc<Intent>, problem: Option<&str>) -> Reply {
    let now = tx.now();
    for id in intent.hosts() {
        tx.update_host(id, |host| {
            let (status, reason, message) = match problem {
                Some(problem) => (ConditionStatus::Unknown, Host::ACCOUNT_UNUSABLE, bounded(problem)),
                None if host.instance.is_some() => (ConditionStatus::True, "Bound", String::new()),
                None => (ConditionStatus::Unknown, "Provisioning", String::new()),
            };
            host.conditions.set(ConditionKind::InstanceReady, status, reason, &message, now);
        });
        if let (Some(problem), Some(host)) = (problem, tx.state.host(id).cloned()) {
            tx.host_event(&host, Host::ACCOUNT_UNUSABLE, &bounded(problem));
        }
    }
    Reply::Done
}

fn replace(tx: &mut Tx<'_>, mut intent: Intent) {
    intent.revision = tx.state.now_revision();
    tx.changes.accounts.insert(intent.account.clone());
    tx.state.intents.insert(intent.id, Arc::new(intent));
}

fn destroy_orphan(
    tx: &mut Tx<'_>,
    account: &AccountName,
    epoch: u64,
    instance: &InstanceRef,
    intent: Option<IntentId>,
) -> Reply {
    let shard = 0;
    if !is_owner(tx, account, shard, epoch) {
        return unchanged("the account is gone, or has another owner by now");
    }
    // An Open intent may still bind it; an id of a later epoch is not ours to judge.
    let dead = intent.is_some_and(|id| {
        let given_out = (id.epoch, id.counter) <= (tx.state.epoch, tx.state.last_id);
        given_out && !tx.state.intents.contains_key(&id)
    });
    if !dead || owned(tx, instance) || being_destroyed(tx, instance) {
        return unchanged("the instance is owned, or may yet be");
    }
    let id = IntentId::new(tx.state.epoch, tx.allocate());
    let kind = IntentKind::Destroy { targets: vec![Target { host: None, instance: instance.clone() }] };
    intents::insert(tx, id, account.clone(), shard, kind);
    Reply::Done
}

/// Bound to a host, or perhaps the one that a quarantined host waits for a person's word about.
fn owned(tx: &Tx<'_>, instance: &InstanceRef) -> bool {
    let same = |host: &Arc<crate::state::Host>| match &host.instance {
        Some(bound) => bound.instance.provider_id == instance.provider_id,
        None => matches!(host.phase, Phase::Quarantined { .. }) && host.name.as_str() == instance.name,
    };
    tx.state.hosts.values().any(same)
}

fn being_destroyed(tx: &Tx<'_>, instance: &InstanceRef) -> bool {
    tx.state.intents.values().any(|intent| match &intent.kind {
        IntentKind::Destroy { targets } => targets.iter().any(|target| target.instance == *instance),
        IntentKind::Create { .. } | IntentKind::Power { .. } => false,
    })
}
