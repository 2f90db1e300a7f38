//! What a create call came to, as commands.

use skep_core::State;
use skep_core::command::{OutcomeCommand, Placement, Shortfall};
use skep_core::state::{Intent, IntentKind, IntentSlot};
use skep_driver::{DriverError, Instance, InstanceState, Placed};
use skep_types::{HostId, InstanceRef, chain};

use crate::kept;
use crate::owner::call::{Caller, failure_kind};

/// Everything that a call which is over has come to, to be committed at once.
pub(super) fn of(caller: &Caller, intent: &Intent, placed: Placed) -> Vec<OutcomeCommand> {
    let Some(error) = placed.shortfall else {
        return vec![bind(caller, intent, placed.instances), close(caller, intent, None)];
    };
    let gone = gone(&caller.context.raft.state(), intent, &placed.instances);
    let (left, made): (Vec<_>, Vec<_>) = placed.instances.into_iter().partition(is_left);
    let mut outcomes = vec![bind(caller, intent, made)];
    let mut placements = placements(caller, intent, left);
    placements.extend(gone);
    if !placements.is_empty() {
        let (id, epoch) = (intent.id, caller.epoch);
        outcomes.push(OutcomeCommand::Remains { intent: id, epoch, placements, reason: chain(&error) });
    }
    outcomes.push(close(caller, intent, Some(shortfall(&error))));
    outcomes
}

/// With a shortfall, what does not run is what a failed create has left.
fn is_left(instance: &Instance) -> bool {
    instance.state == InstanceState::Stopped
}

/// Bound while the call was under way, and not among what it says that exists.
fn gone(state: &State, intent: &Intent, told: &[Instance]) -> Vec<Placement> {
    let bound = intent.hosts().into_iter().filter_map(|id| Some((id, state.host(id)?.instance.as_ref()?)));
    let ours = bound.filter(|(_, bound)| bound.intent == intent.id);
    let is = |bound: &InstanceRef| told.iter().any(|told| is_live(told) && told.instance == *bound);
    let gone = ours.filter(|(_, bound)| !is(&bound.instance));
    gone.map(|(host, bound)| Placement {
        host: Some(host),
        instance: bound.instance.clone(),
        private_address: bound.private_address,
        public_address: bound.public_address,
        zone: bound.zone.clone(),
        sealed_kept: bound.sealed_kept.clone(),
    })
    .collect()
}

fn shortfall(error: &DriverError) -> Shortfall {
    Shortfall { kind: failure_kind(error), message: chain(error) }
}

pub(super) fn bind(caller: &Caller, intent: &Intent, instances: Vec<Instance>) -> OutcomeCommand {
    let placements = placements(caller, intent, instances);
    OutcomeCommand::Bind { intent: intent.id, epoch: caller.epoch, placements }
}

/// Whether a bind would change nothing. What is kept is sealed anew each time: only what it opens to compares.
pub(super) fn known(caller: &Caller, intent: &Intent, found: &[Instance]) -> bool {
    let state = caller.context.raft.state();
    let hosts: Vec<_> = intent.hosts().into_iter().filter_map(|id| state.host(id)).collect();
    let same = |found: &Instance| {
        let mut bound = hosts.iter().filter_map(|host| host.instance.as_ref());
        let ours = bound.find(|bound| bound.intent == intent.id && bound.instance == found.instance);
        ours.is_some_and(|bound| {
            let kept = kept::target(&caller.context.trust.sealer, bound).kept;
            adds_nothing(found.private_address.as_ref(), bound.private_address.as_ref())
                && adds_nothing(found.public_address.as_ref(), bound.public_address.as_ref())
                && adds_nothing(found.kept.as_ref(), kept.as_ref())
        })
    };
    found.iter().filter(|found| is_live(found)).all(same)
}

/// What is not told leaves what is known.
fn adds_nothing<T: PartialEq>(told: Option<&T>, known: Option<&T>) -> bool {
    told.is_none() || told == known
}

fn placements(caller: &Caller, intent: &Intent, instances: Vec<Instance>) -> Vec<Placement> {
    let slots = match &intent.kind {
        IntentKind::Create { slots, .. } => slots.as_slice(),
        IntentKind::Power { .. } | IntentKind::Destroy { .. } => &[],
    };
    instances.into_iter().filter(is_live).map(|instance| placement(caller, slots, instance)).collect()
}

pub(super) fn is_live(instance: &Instance) -> bool {
    instance.state != InstanceState::Destroyed
}

fn placement(caller: &Caller, slots: &[IntentSlot], instance: Instance) -> Placement {
    let sealed_kept =
        instance.kept.and_then(|kept| kept::seal(&caller.context.trust.sealer, &instance.instance, &kept));
    Placement {
        sealed_kept,
        host: named_slot(slots, &instance.instance.name),
        instance: instance.instance,
        private_address: instance.private_address,
        public_address: instance.public_address,
        zone: instance.zone,
    }
}

/// Interchangeable instances carry no slot's name, and fill any.
fn named_slot(slots: &[IntentSlot], name: &str) -> Option<HostId> {
    slots.iter().find(|slot| slot.name.as_str() == name).map(|slot| slot.host)
}

pub(super) fn close(caller: &Caller, intent: &Intent, shortfall: Option<Shortfall>) -> OutcomeCommand {
    OutcomeCommand::CloseCreate { intent: intent.id, epoch: caller.epoch, shortfall }
}
