//! Intents are opened: from here on a driver may act, and until the close the hosts stay where they are.

use std::sync::Arc;

use skep_types::{AccountName, Digest, IntentId, Phase, PowerAction};

use super::plans::{Stale, guarded};
use super::tx::Tx;
use crate::command::{Guard, NewIntent, NewSlot, idempotency_token};
use crate::state::{Enrolment, Host, Intent, IntentKind, IntentSlot, Shard, Target};

pub(super) fn open(
    tx: &mut Tx<'_>,
    guards: &[Guard],
    account: &AccountName,
    shard: Shard,
    intent: &NewIntent,
) -> Result<(), Stale> {
    let hosts: Vec<Arc<Host>> = guards.iter().map(|guard| guarded(tx, *guard)).collect::<Result<_, _>>()?;
    if hosts.is_empty() || !hosts.iter().all(|host| host.needs_intent() && host.template.account == *account)
    {
        return Err("a host needs no driver call, or not of this account");
    }
    if !distinct(guards) {
        return Err("a host is named twice");
    }
    if tx.state.accounts.get(account).is_none_or(|account| usize::from(shard) >= account.owners.len()) {
        return Err("the account or its shard is gone");
    }
    check(&hosts, intent)?;
    let targets = match intent {
        NewIntent::Create { .. } => Vec::new(),
        NewIntent::Power { .. } | NewIntent::Destroy => targets(&hosts)?,
    };
    // From here on nothing is refused: an id given out is an intent opened.
    let id = IntentId::new(tx.state.epoch, tx.allocate());
    let kind = match intent {
        NewIntent::Create { template, slots, sealed_bootstrap } => {
            let cluster = tx.state.cluster.as_ref();
            IntentKind::Create {
                token: cluster.map(|cluster| idempotency_token(cluster.id.as_str(), id)).unwrap_or_default(),
                template: Arc::clone(template),
                slots: open_create(tx, id, &hosts, slots),
                sealed_bootstrap: sealed_bootstrap.clone(),
                bound: Vec::new(),
            }
        }
        NewIntent::Power { action } => {
            open_power(tx, id, &hosts, *action);
            IntentKind::Power { action: *action, targets }
        }
        NewIntent::Destroy => {
            open_destroy(tx, id, &hosts);
            IntentKind::Destroy { targets }
        }
    };
    insert(tx, id, account.clone(), shard, kind);
    Ok(())
}

/// Whether every host is where an intent of this kind begins.
fn check(hosts: &[Arc<Host>], intent: &NewIntent) -> Result<(), Stale> {
    match intent {
        NewIntent::Create { slots, .. } if slots.len() != hosts.len() => {
            Err("an intent has one slot for each host")
        }
        NewIntent::Create { .. } if hosts.iter().any(|host| host.phase != Phase::Pending) => {
            Err("a host is not Pending")
        }
        NewIntent::Power { action } if hosts.iter().any(|host| host.desired.power != Some(*action)) => {
            Err("another power verb was asked for")
        }
        NewIntent::Power { .. }
            if !hosts.iter().all(|host| matches!(host.phase, Phase::Ready | Phase::Stopped)) =>
        {
            Err("a host is neither Ready nor Stopped")
        }
        NewIntent::Destroy if hosts.iter().any(|host| host.phase != (Phase::Deleting { intent: None })) => {
            Err("a host is not Deleting")
        }
        NewIntent::Create { .. } | NewIntent::Power { .. } | NewIntent::Destroy => Ok(()),
    }
}

pub(super) fn insert(tx: &mut Tx<'_>, id: IntentId, account: AccountName, shard: Shard, kind: IntentKind) {
    let intent = Intent {
        id,
        revision: tx.state.now_revision(),
        account: account.clone(),
        shard,
        opened_at: tx.now(),
        attempted: false,
        attempt: 0,
        kind,
    };
    *tx.state.index.open.entry(account.clone()).or_default() += 1;
    tx.changes.accounts.insert(account);
    tx.state.intents.insert(id, Arc::new(intent));
}

pub(super) fn close(tx: &mut Tx<'_>, id: IntentId) {
    let Some(intent) = tx.state.intents.remove(&id) else {
        return;
    };
    match tx.state.index.open.get_mut(&intent.account) {
        Some(open) if *open > 1 => *open -= 1,
        _ => drop(tx.state.index.open.remove(&intent.account)),
    }
    // Hosts that wait for the close before they may go look again.
    tx.changes.hosts.extend(intent.hosts());
    tx.changes.accounts.insert(intent.account.clone());
}

fn distinct(guards: &[Guard]) -> bool {
    let mut ids: Vec<_> = guards.iter().map(|guard| guard.host).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.len() == guards.len()
}

fn open_create(tx: &mut Tx<'_>, id: IntentId, hosts: &[Arc<Host>], slots: &[NewSlot]) -> Vec<IntentSlot> {
    let open_slot = |(host, slot): (&Arc<Host>, &NewSlot)| {
        let incarnation = host.incarnation + 1;
        tx.update_host(host.id, |host| enter(host, id, incarnation, slot.token));
        IntentSlot { host: host.id, name: host.name.clone(), incarnation, token: slot.token }
    };
    hosts.iter().zip(slots).map(open_slot).collect()
}

fn enter(host: &mut Host, intent: IntentId, incarnation: u32, token: Digest) {
    host.phase = Phase::Provisioning { intent };
    host.retry_at = None;
    host.incarnation = incarnation;
    host.enrolment = Some(Enrolment { token, key: None, expires_at: None });
}

fn open_power(tx: &mut Tx<'_>, id: IntentId, hosts: &[Arc<Host>], action: PowerAction) {
    for host in hosts {
        tx.update_host(host.id, |host| {
            host.retry_at = None;
            // A try that failed may have had its effect, and the session since then shows it.
            if host.attempts == 0 {
                host.session_floor = host.session.as_ref().map_or(0, |session| session.number);
            }
            host.phase = match action {
                PowerAction::Stop | PowerAction::Kill => Phase::Stopping { intent: id },
                PowerAction::Start | PowerAction::Restart => Phase::Starting { intent: Some(id) },
            };
        });
    }
}

fn open_destroy(tx: &mut Tx<'_>, id: IntentId, hosts: &[Arc<Host>]) {
    for host in hosts {
        tx.update_host(host.id, |host| {
            host.retry_at = None;
            host.phase = Phase::Deleting { intent: Some(id) };
        });
    }
}

fn targets(hosts: &[Arc<Host>]) -> Result<Vec<Target>, Stale> {
    let target = |host: &Arc<Host>| {
        let instance = host.instance.as_ref()?.instance.clone();
        Some(Target { host: Some(host.id), instance })
    };
    hosts.iter().map(target).collect::<Option<_>>().ok_or("a host has no instance")
}
