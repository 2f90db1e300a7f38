//! What a create call came to, as commands.

use skep_core::command::{OutcomeCommand, Placement, Shortfall};
use skep_core::state::{Intent, IntentKind, IntentSlot};
use skep_driver::{Instance, InstanceState};
use skep_types::HostId;

use crate::kept;
use crate::owner::call::Caller;

pub(super) fn bind(caller: &Caller, intent: &Intent, instances: Vec<Instance>) -> OutcomeCommand {
    let slots = match &intent.kind {
        IntentKind::Create { slots, .. } => slots.as_slice(),
        IntentKind::Power { .. } | IntentKind::Destroy { .. } => &[],
    };
    let live = instances.into_iter().filter(|instance| instance.state != InstanceState::Destroyed);
    let placements = live.map(|instance| placement(caller, slots, instance)).collect();
    OutcomeCommand::Bind { intent: intent.id, epoch: caller.epoch, placements }
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
