//! What the planners proposed: checked against the guard it was decided on, and against where a host may go.

use skep_types::{
    ConditionKind, ConditionStatus, CoordinatorId, HostId, IntentId, Phase, PowerAction, SwarmId,
};

use super::intents;
use super::tx::{Tx, bounded};
use crate::command::{Advance, Guard, PlanCommand, Reply};
use crate::state::{Host, Owner, Permit, Subject, Task};

pub(super) fn apply(tx: &mut Tx<'_>, command: &PlanCommand) -> Reply {
    let result = match command {
        PlanCommand::OpenIntent { guards, account, shard, intent } => {
            intents::open(tx, guards, account, *shard, intent)
        }
        PlanCommand::Advance { guard, to, reason } => advance(tx, *guard, to, reason),
        PlanCommand::Grant { guard, task } => grant(tx, *guard, task),
        PlanCommand::Revoke { guard } => revoke(tx, *guard),
        PlanCommand::AssignOwner { account, shard, epoch, coordinator, process, idle } => {
            let Some(mut account) = tx.state.accounts.get(account).map(|account| (**account).clone()) else {
                return Reply::Unchanged("the account is gone".to_owned());
            };
            let owner = Owner {
                coordinator: *coordinator,
                process: *process,
                epoch: epoch.saturating_add(1),
                inherits: Some(IntentId::new(tx.state.epoch, tx.state.last_id)),
                idle: *idle,
            };
            assign_owner(tx, &mut account, *shard, owner)
        }
        PlanCommand::Disconnect { host, session_number } => disconnect(tx, *host, *session_number),
        PlanCommand::ForgetCoordinator { coordinator } => forget_coordinator(tx, *coordinator),
        PlanCommand::ForgetSwarm { swarm } => forget_swarm(tx, *swarm),
    };
    match result {
        Ok(()) => Reply::Done,
        Err(why) => Reply::Unchanged(why.to_owned()),
    }
}

/// Nothing changed, and why.
pub(super) type Stale = &'static str;

pub(super) fn guarded(tx: &Tx<'_>, guard: Guard) -> Result<std::sync::Arc<Host>, Stale> {
    match tx.state.host(guard.host) {
        None => Err("the host is gone"),
        Some(host) if host.revision != guard.revision => Err("the host has changed since"),
        Some(host) => Ok(std::sync::Arc::clone(host)),
    }
}

fn advance(tx: &mut Tx<'_>, guard: Guard, to: &Advance, reason: &str) -> Result<(), Stale> {
    let host = guarded(tx, guard)?;
    if !may_advance(&host, to) {
        return Err("no way leads there from the host's phase");
    }
    if *to == Advance::Deleted {
        tx.remove_host(host.id);
        return Ok(());
    }
    tx.update_host(host.id, |host| {
        host.retry_at = None;
        host.attempts = 0;
        move_to(host, to, reason);
    });
    Ok(())
}

fn move_to(host: &mut Host, to: &Advance, reason: &str) {
    host.phase = match to {
        Advance::Joining => Phase::Joining,
        Advance::Ready => {
            host.desired.power = None;
            Phase::Ready
        }
        Advance::Stopped => Phase::Stopped,
        Advance::Demoting => Phase::Demoting,
        Advance::Leaving => Phase::Leaving,
        Advance::Deleting | Advance::Deleted => Phase::Deleting { intent: None },
        Advance::Failed { class, message } => {
            host.desired.power = None;
            Phase::Failed { class: *class, message: bounded(message) }
        }
        Advance::Quarantined => Phase::Quarantined { reason: bounded(reason) },
    };
}

/// The edges a planner may take. Phases inside an Open intent are left only by its close.
fn may_advance(host: &Host, to: &Advance) -> bool {
    let free = host.intent().is_none();
    match (&host.phase, to) {
        (Phase::Provisioning { .. }, _) => false,
        (_, Advance::Deleted) => host.desired.absent && host.instance.is_none() && free,
        (_, Advance::Demoting | Advance::Leaving | Advance::Deleting) => host.desired.absent && free,
        (_, Advance::Quarantined) => free,
        (Phase::Booting | Phase::Installing | Phase::Joining, Advance::Failed { .. }) => true,
        (Phase::Starting { intent: None } | Phase::Ready | Phase::Stopped, Advance::Failed { .. }) => true,
        (Phase::Installing, Advance::Joining | Advance::Ready) => true,
        (Phase::Joining | Phase::Starting { intent: None }, Advance::Ready) => true,
        _ => false,
    }
}

fn grant(tx: &mut Tx<'_>, guard: Guard, task: &Task) -> Result<(), Stale> {
    let host = guarded(tx, guard)?;
    if host.permit.is_some() {
        return Err("the host has a permit");
    }
    let swarm =
        host.membership.as_ref().map(|membership| membership.swarm).ok_or("the host is in no swarm")?;
    if matches!(task, Task::SwarmInit { .. }) {
        let record = tx.state.swarms.get(&swarm).ok_or("the swarm is gone")?;
        if record.docker_id.is_some() || record.init_host.is_some_and(|other| other != host.id) {
            return Err("the swarm is initialised, or another host may do it");
        }
        tx.update_swarm(swarm, |swarm| swarm.init_host = Some(host.id));
    }
    let id = skep_types::PermitId::new(tx.state.epoch, tx.allocate());
    let permit = Permit { id, task: task.clone(), granted_at: tx.now() };
    tx.update_host(host.id, |host| host.permit = Some(permit));
    Ok(())
}

fn revoke(tx: &mut Tx<'_>, guard: Guard) -> Result<(), Stale> {
    let host = guarded(tx, guard)?;
    match &host.permit {
        Some(permit) if permit.task.idempotent() => {
            tx.update_host(host.id, |host| host.permit = None);
            Ok(())
        }
        _ => Err("only a permit for an idempotent task can be taken back"),
    }
}

fn assign_owner(
    tx: &mut Tx<'_>,
    account: &mut crate::state::Account,
    shard: u16,
    owner: Owner,
) -> Result<(), Stale> {
    let slot = account.owners.get_mut(usize::from(shard)).ok_or("the account has no such shard")?;
    if slot.map_or(0, |before| before.epoch).saturating_add(1) != owner.epoch {
        return Err("the owner has changed since");
    }
    *slot = Some(owner);
    tx.put_account(account.clone());
    Ok(())
}

fn disconnect(tx: &mut Tx<'_>, id: HostId, session_number: u64) -> Result<(), Stale> {
    let host = tx.state.host(id).ok_or("the host is gone")?;
    if host.session.as_ref().is_none_or(|session| session.number != session_number) {
        return Err("the agent has come back since");
    }
    set_disconnected(tx, id);
    Ok(())
}

pub(super) fn set_disconnected(tx: &mut Tx<'_>, id: HostId) {
    let now = tx.now();
    tx.update_host(id, |host| {
        let reason = match (&host.phase, host.desired.power) {
            (Phase::Stopped | Phase::Stopping { .. }, _) => "Stopped",
            (Phase::Starting { .. }, _) | (_, Some(PowerAction::Restart)) => "Restarting",
            _ => "Unreachable",
        };
        let message = "no coordinator has heard of the agent for its grace";
        host.conditions.set(ConditionKind::AgentConnected, ConditionStatus::False, reason, message, now);
    });
}

fn forget_coordinator(tx: &mut Tx<'_>, id: CoordinatorId) -> Result<(), Stale> {
    match tx.state.coordinators.get(&id) {
        Some(coordinator) if coordinator.removed => {
            tx.state.coordinators.remove(&id);
            tx.changes.cluster = true;
            Ok(())
        }
        _ => Err("the coordinator is not on its way out"),
    }
}

fn forget_swarm(tx: &mut Tx<'_>, id: SwarmId) -> Result<(), Stale> {
    let swarm = tx.state.swarms.get(&id).cloned().ok_or("the swarm is gone")?;
    if !swarm.absent || tx.state.members(id).next().is_some() {
        return Err("the swarm has hosts, or is wanted");
    }
    tx.state.swarms.remove(&id);
    tx.state.index.swarm_names.remove(&swarm.name);
    tx.event(Subject::Swarm(id), swarm.name.as_str(), "Deleted", "");
    tx.changes.swarms.insert(id);
    Ok(())
}
