//! A create call is over: what was bound goes on, what was not is released to another try, or fails.

use std::sync::Arc;
use std::time::Duration;

use skep_types::{ConditionKind, ConditionStatus, FailureClass, HostId, Phase, limits};

use crate::apply::intents;
use crate::apply::tx::{Tx, bounded};
use crate::command::{FailureKind, Reply, Shortfall};
use crate::state::{Host, Intent, IntentKind};

/// Tries at an instance that failed for want of capacity, before the host fails.
const CAPACITY_ATTEMPTS: u32 = 5;
/// Tries that failed for reasons that pass by themselves; with the back-off below this is more than an hour.
const PASSING_ATTEMPTS: u32 = 100;
const BACKOFF_FIRST: Duration = Duration::from_secs(1);
pub(super) const BACKOFF_MAX: Duration = Duration::from_secs(60);

pub(super) fn close(tx: &mut Tx<'_>, intent: &Arc<Intent>, shortfall: Option<&Shortfall>) -> Reply {
    let IntentKind::Create { slots, .. } = &intent.kind else {
        return Reply::Unchanged("the intent creates nothing".to_owned());
    };
    intents::close(tx, intent.id);
    for slot in slots {
        let Some(host) = tx.state.host(slot.host).cloned() else {
            continue;
        };
        if host.phase == (Phase::Provisioning { intent: intent.id }) {
            release(tx, &host, shortfall);
        } else {
            start_token_life(tx, host.id);
        }
    }
    Reply::Done
}

/// No instance of this try exists, and none will.
fn release(tx: &mut Tx<'_>, host: &Host, shortfall: Option<&Shortfall>) {
    let unknown = shortfall.is_some_and(|shortfall| shortfall.kind == FailureKind::Unknown);
    if host.desired.absent && !unknown {
        tx.remove_host(host.id);
        return;
    }
    let now = tx.now();
    let message =
        shortfall.map_or("the driver made fewer instances than asked", |shortfall| &shortfall.message);
    let kind =
        shortfall.map_or(FailureKind::Passing { retry_after: BACKOFF_FIRST }, |shortfall| shortfall.kind);
    // Shown on the host: nothing else tells people why it is tried again and again.
    let mut news = false;
    tx.update_host(host.id, |host| {
        host.enrolment = None;
        host.attempts += 1;
        host.phase = next_phase(kind, host.attempts, message);
        host.retry_at = (host.phase == Phase::Pending).then(|| now.after(backoff(kind, host.attempts)));
        let (ready, why) = (ConditionKind::InstanceReady, bounded(message));
        news = host.conditions.set(ready, ConditionStatus::Unknown, "CreateFailed", &why, now);
    });
    if news {
        tx.host_event(host, "CreateFailed", &bounded(message));
    }
}

fn next_phase(kind: FailureKind, attempts: u32, message: &str) -> Phase {
    let failed = || Phase::Failed { class: FailureClass::Create, message: bounded(message) };
    match kind {
        FailureKind::Unknown => Phase::Quarantined { reason: bounded(message) },
        FailureKind::Lasting | FailureKind::Gone | FailureKind::Unsupported => failed(),
        FailureKind::Capacity if attempts >= CAPACITY_ATTEMPTS => failed(),
        FailureKind::Passing { .. } if attempts >= PASSING_ATTEMPTS => failed(),
        FailureKind::Capacity | FailureKind::Passing { .. } => Phase::Pending,
    }
}

/// Doubles with every attempt, up to a minute; never less than the driver asked for.
pub(super) fn backoff(kind: FailureKind, attempts: u32) -> Duration {
    let least = match kind {
        FailureKind::Passing { retry_after } => retry_after,
        FailureKind::Capacity
        | FailureKind::Lasting
        | FailureKind::Unknown
        | FailureKind::Gone
        | FailureKind::Unsupported => BACKOFF_FIRST,
    };
    let doubled = BACKOFF_FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(6));
    doubled.min(BACKOFF_MAX).max(least)
}

fn start_token_life(tx: &mut Tx<'_>, host: HostId) {
    let expires_at = tx.now().after(limits::ENROLMENT_TOKEN_LIFE);
    tx.update_host(host, |host| {
        if let Some(enrolment) = host.enrolment.as_mut().filter(|enrolment| enrolment.expires_at.is_none()) {
            enrolment.expires_at = Some(expires_at);
        }
    });
}
