//! A power or destroy call is over.

use std::sync::Arc;

use skep_types::{
    ClusterTime, ConditionKind, ConditionStatus, DriverDescription, FailureClass, HostId, Idempotency, Phase,
    PowerAction,
};

use super::close_create::{BACKOFF_MAX, backoff};
use crate::apply::plans::set_disconnected;
use crate::apply::tx::{Tx, bounded};
use crate::apply::{intents, operations};
use crate::command::{Failure, FailureKind, Reply};
use crate::state::{Host, Intent, IntentKind};

/// Tries at a power verb, before the host fails.
const POWER_ATTEMPTS: u32 = 10;
/// Tries to be rid of an instance, before it is forgotten by force: what passes in seconds has passed.
const FORGET_ATTEMPTS: u32 = 3;

pub(super) fn close(tx: &mut Tx<'_>, intent: &Arc<Intent>, results: &[Result<(), Failure>]) -> Reply {
    let targets = match &intent.kind {
        IntentKind::Power { targets, .. } | IntentKind::Destroy { targets } => targets,
        IntentKind::Create { .. } => return Reply::Unchanged("a create is closed otherwise".to_owned()),
    };
    if results.len() != targets.len() {
        return Reply::Unchanged(
            "the outcome has another number of results than the intent targets".to_owned(),
        );
    }
    intents::close(tx, intent.id);
    for (target, result) in targets.iter().zip(results) {
        // A surplus instance that could not be destroyed is found again by the search for orphans.
        let Some(host) = target.host else { continue };
        match &intent.kind {
            IntentKind::Power { action, .. } => powered(tx, host, *action, result),
            IntentKind::Destroy { .. } | IntentKind::Create { .. } => destroyed(tx, host, result),
        }
    }
    Reply::Done
}

fn destroyed(tx: &mut Tx<'_>, id: HostId, result: &Result<(), Failure>) {
    match result {
        Ok(()) => tx.remove_host(id),
        Err(failure) if failure.kind == FailureKind::Gone && settled(tx, id) => {
            if let Some(host) = tx.state.host(id).cloned() {
                tx.host_event(&host, "NotFound", &bounded(&failure.message));
            }
            tx.remove_host(id);
        }
        Err(failure) => {
            let now = tx.now();
            if let Some(host) = tx.state.host(id).cloned() {
                tx.host_event(&host, "DestroyFailed", &bounded(&failure.message));
                let counts = counts(tx, &host, failure.kind);
                if let Some(left) = left_behind(tx, &host).filter(|_| counts) {
                    return forget(tx, &host, left, failure);
                }
                tx.update_host(id, |host| try_later(host, now, failure.kind, counts));
            }
        }
    }
}

/// Whether a provider that knows no such instance is believed: whatever was made is visible by now. Never of a driver
/// without idempotency, which may have lost what it would find it by.
fn settled(tx: &Tx<'_>, id: HostId) -> bool {
    let settled = |host: &Host| {
        let driver = &tx.state.accounts.get(&host.template.account)?.driver;
        let bound = host.instance.as_ref()?;
        let visible = tx.now().since(bound.bound_at) >= driver.settle;
        Some(visible && driver.idempotency != Idempotency::None)
    };
    tx.state.host(id).and_then(|host| settled(host)).unwrap_or(false)
}

/// For ever, but ever more slowly: a delete ends, or somebody is told why not.
fn try_later(host: &mut Host, now: ClusterTime, kind: FailureKind, counts: bool) {
    host.attempts += u32::from(counts);
    let counted = backoff(kind, host.attempts);
    // What is not counted waits for as long as the delete has taken, which doubles as well.
    let taken = now.since(host.phase_since).min(BACKOFF_MAX);
    let pause = if counts { counted } else { counted.max(taken) };
    host.phase = Phase::Deleting { intent: None };
    host.retry_at = Some(now.after(pause));
}

/// Whether a failure is one of the tries after which an instance is given up. That a driver without idempotency cannot
/// be asked for a while says nothing of what it could find, and an adopted machine is given up for its silence itself.
fn counts(tx: &Tx<'_>, host: &Host, kind: FailureKind) -> bool {
    let account = tx.state.accounts.get(&host.template.account);
    let may_have_lost =
        |driver: &DriverDescription| driver.idempotency == Idempotency::None && !driver.adopts;
    matches!(kind, FailureKind::Lasting | FailureKind::Gone | FailureKind::Unsupported)
        || !account.is_some_and(|account| may_have_lost(&account.driver))
}

/// What a host leaves that is given up by force; None for one that is not. A machine that was adopted costs nothing and
/// is somebody's: it keeps its marker, and the search for orphans takes the agent away should it ever answer again and
/// stand in the account's inventory. A driver without idempotency may have lost what it would need. All others find what
/// they made, or know that it is gone.
fn left_behind(tx: &Tx<'_>, host: &Host) -> Option<&'static str> {
    if !host.desired.force || host.attempts + 1 < FORGET_ATTEMPTS {
        return None;
    }
    let driver = &tx.state.accounts.get(&host.template.account)?.driver;
    match driver.idempotency {
        _ if driver.adopts => Some("forgotten, with the agent left on its machine, which does not answer"),
        Idempotency::None => Some("forgotten, with whatever its provider still has under its name"),
        Idempotency::Token { .. } | Idempotency::UniqueName => None,
    }
}

fn forget(tx: &mut Tx<'_>, host: &Host, left: &str, failure: &Failure) {
    let message = bounded(&format!("{left}: {}", failure.message));
    tx.host_event(host, "Forgotten", &message);
    operations::given_up(tx, host, &message);
    tx.remove_host(host.id);
}

fn powered(tx: &mut Tx<'_>, id: HostId, action: PowerAction, result: &Result<(), Failure>) {
    match result {
        Ok(()) => power_changed(tx, id, action),
        Err(failure) => power_failed(tx, id, failure),
    }
}

fn power_changed(tx: &mut Tx<'_>, id: HostId, action: PowerAction) {
    match action {
        PowerAction::Stop | PowerAction::Kill => {
            tx.update_host(id, |host| {
                host.phase = Phase::Stopped;
                host.desired.power = None;
                host.attempts = 0;
            });
            went_down(tx, id);
        }
        PowerAction::Start | PowerAction::Restart => {
            tx.update_host(id, |host| host.phase = Phase::Starting { intent: None });
            let back = tx.state.host(id).is_some_and(|host| {
                host.session.as_ref().is_some_and(|session| session.number > host.session_floor)
            });
            if !back {
                went_down(tx, id);
            }
        }
    }
}

/// What was known of the engine was of the boot before.
fn went_down(tx: &mut Tx<'_>, id: HostId) {
    set_disconnected(tx, id);
    let now = tx.now();
    tx.update_host(id, |host| {
        host.conditions.set(ConditionKind::EngineReady, ConditionStatus::Unknown, "PowerChanged", "", now);
    });
}

fn power_failed(tx: &mut Tx<'_>, id: HostId, failure: &Failure) {
    if failure.kind == FailureKind::Unsupported {
        return unsupported(tx, id, failure);
    }
    let now = tx.now();
    tx.update_host(id, |host| {
        host.attempts += 1;
        let passes = matches!(failure.kind, FailureKind::Passing { .. } | FailureKind::Capacity);
        if !passes || host.attempts >= POWER_ATTEMPTS {
            host.desired.power = None;
            host.phase = Phase::Failed { class: FailureClass::Power, message: bounded(&failure.message) };
            return;
        }
        host.phase = where_it_was(host);
        host.retry_at = Some(now.after(backoff(failure.kind, host.attempts)));
    });
}

/// The request fails, and the host is as well as before. A delete that took the host over goes on.
fn unsupported(tx: &mut Tx<'_>, id: HostId, failure: &Failure) {
    let Some(host) = tx.state.host(id).cloned() else { return };
    let message = bounded(&failure.message);
    tx.host_event(&host, "PowerRefused", &message);
    if host.desired.power.is_some() {
        operations::given_up(tx, &host, &message);
    }
    tx.update_host(id, |host| {
        host.phase = where_it_was(host);
        host.desired.power = None;
        host.desired.running = host.phase == Phase::Ready;
        host.attempts = 0;
    });
}

/// A host that was to stop is still Ready, one that was to start is still Stopped; one that was to restart may have been
/// either, which its agent tells.
fn where_it_was(host: &Host) -> Phase {
    match host.phase {
        Phase::Stopping { .. } => Phase::Ready,
        _ if host.desired.power == Some(PowerAction::Restart) && host.connected() => Phase::Ready,
        _ => Phase::Stopped,
    }
}
