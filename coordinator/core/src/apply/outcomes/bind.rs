//! Instances come to their hosts: as what was asked for, or as what is left of a create that failed.
//!
//! Both are a set union: new provider ids fill free slots in sorted order, and what is left over is marked for
//! destruction.

use std::sync::Arc;

use skep_types::{
    ClusterTime, ConditionKind, ConditionStatus, FailureClass, HostId, InstanceRef, IntentId, Phase,
};

use super::{replace, unchanged};
use crate::apply::tx::{Tx, bounded};
use crate::apply::{intents, operations};
use crate::command::{Placement, Reply};
use crate::state::{Host, Instance, Intent, IntentKind, IntentSlot, Target};

pub(super) fn bind(tx: &mut Tx<'_>, intent: &Arc<Intent>, placements: &[Placement]) -> Reply {
    each(tx, intent, placements, |tx, host, placement, known| {
        if known {
            keep(tx, host, placement);
        } else {
            bind_host(tx, intent.id, host, placement);
        }
    })
}

pub(super) fn remains(
    tx: &mut Tx<'_>,
    intent: &Arc<Intent>,
    placements: &[Placement],
    reason: &str,
) -> Reply {
    each(tx, intent, placements, |tx, host, placement, known| {
        if known {
            keep(tx, host, placement);
            fail_bound(tx, host, reason);
        } else {
            fail_with_remains(tx, intent.id, host, placement, reason);
        }
    })
}

/// `act` is told of each placement that is some host's, and whether it was so before.
fn each(
    tx: &mut Tx<'_>,
    intent: &Arc<Intent>,
    placements: &[Placement],
    act: impl Fn(&mut Tx<'_>, HostId, &Placement, bool),
) -> Reply {
    let IntentKind::Create { slots, bound, .. } = &intent.kind else {
        return unchanged("only a create binds instances");
    };
    let mut bound = bound.clone();
    let mut changed = false;
    let mut placements: Vec<&Placement> = placements.iter().collect();
    placements.sort_by(|a, b| a.instance.cmp(&b.instance));
    // Told twice at once, the first counts: said again, it is the same again.
    placements.dedup_by(|b, a| a.instance.provider_id == b.instance.provider_id);
    for placement in placements {
        if bound.contains(&placement.instance.provider_id) {
            if let Some(host) = bound_to(tx, intent.id, slots, &placement.instance) {
                let before = tx.state.host(host).cloned();
                act(tx, host, placement, true);
                changed |= tx.state.host(host) != before.as_ref();
            }
            continue;
        }
        bound.push(placement.instance.provider_id.clone());
        match free_slot(tx, intent.id, slots, placement.host) {
            Some(host) => act(tx, host, placement, false),
            None => surplus(tx, intent, placement.instance.clone()),
        }
    }
    let mut new = Intent::clone(intent);
    if let IntentKind::Create { bound: known, .. } = &mut new.kind {
        if *known == bound {
            return if changed { Reply::Done } else { unchanged("every instance is known") };
        }
        *known = bound;
    }
    replace(tx, new);
    Reply::Done
}

fn free_slot(tx: &Tx<'_>, intent: IntentId, slots: &[IntentSlot], named: Option<HostId>) -> Option<HostId> {
    let free = |slot: &&IntentSlot| {
        let host = tx.state.host(slot.host);
        host.is_some_and(|host| host.phase == Phase::Provisioning { intent } && host.instance.is_none())
    };
    slots.iter().filter(|slot| named.is_none_or(|named| slot.host == named)).find(free).map(|slot| slot.host)
}

fn bound_to(tx: &Tx<'_>, intent: IntentId, slots: &[IntentSlot], instance: &InstanceRef) -> Option<HostId> {
    let same = |slot: &&IntentSlot| {
        let bound = tx.state.host(slot.host).and_then(|host| host.instance.as_ref());
        bound
            .is_some_and(|bound| bound.intent == intent && bound.instance.provider_id == instance.provider_id)
    };
    slots.iter().find(same).map(|slot| slot.host)
}

fn instance(intent: IntentId, placement: &Placement, now: ClusterTime) -> Instance {
    Instance {
        instance: placement.instance.clone(),
        intent,
        private_address: placement.private_address,
        public_address: placement.public_address,
        zone: placement.zone.clone(),
        sealed_kept: placement.sealed_kept.clone(),
        bound_at: now,
    }
}

fn bind_host(tx: &mut Tx<'_>, intent: IntentId, id: HostId, placement: &Placement) {
    let now = tx.now();
    tx.update_host(id, |host| {
        host.instance = Some(instance(intent, placement, now));
        host.attempts = 0;
        host.conditions.set(ConditionKind::InstanceReady, ConditionStatus::True, "Bound", "", now);
        // A named slot's agent may be faster than its driver's answer.
        host.phase = if has_enrolled(host) { Phase::Installing } else { Phase::Booting };
    });
    if let Some(host) = tx.state.host(id).cloned() {
        operations::host_bound(tx, &host);
    }
}

fn has_enrolled(host: &Host) -> bool {
    host.enrolment.is_some_and(|enrolment| enrolment.key.is_some())
}

/// A long create is bound before its end, by what was known of it then.
fn keep(tx: &mut Tx<'_>, id: HostId, placement: &Placement) {
    tx.update_host(id, |host| {
        let Some(instance) = &mut host.instance else { return };
        instance.private_address = placement.private_address.or(instance.private_address);
        instance.public_address = placement.public_address.or(instance.public_address);
        if placement.sealed_kept.is_some() {
            instance.sealed_kept.clone_from(&placement.sealed_kept);
        }
    });
}

/// One whose agent has enrolled has all that a create is for.
fn fail_bound(tx: &mut Tx<'_>, id: HostId, reason: &str) {
    tx.update_host(id, |host| {
        if host.phase == Phase::Booting {
            host.phase = failed(reason);
        }
    });
}

/// It fails first: an operation never counts what was not made as asked.
fn fail_with_remains(tx: &mut Tx<'_>, intent: IntentId, id: HostId, placement: &Placement, reason: &str) {
    let now = tx.now();
    tx.update_host(id, |host| {
        host.enrolment = None;
        host.phase = failed(reason);
    });
    tx.update_host(id, |host| {
        host.instance = Some(instance(intent, placement, now));
        host.conditions.set(ConditionKind::InstanceReady, ConditionStatus::False, "Remains", "", now);
    });
}

fn failed(reason: &str) -> Phase {
    Phase::Failed { class: FailureClass::Create, message: bounded(reason) }
}

/// More instances than slots: the intent's own excess, destroyed under an intent of its own.
fn surplus(tx: &mut Tx<'_>, intent: &Intent, instance: InstanceRef) {
    let id = IntentId::new(tx.state.epoch, tx.allocate());
    let kind = IntentKind::Destroy { targets: vec![Target { host: None, instance }] };
    intents::insert(tx, id, intent.account.clone(), intent.shard, kind);
}
