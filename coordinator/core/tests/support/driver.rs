//! A cloud: instances, and what its calls do to them. Obeys the driver contract, however often a call is replayed.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use skep_core::command::{Failure, FailureKind, Placement, Shortfall};
use skep_core::state::{Intent, IntentKind, IntentSlot, Target};
use skep_types::{
    Digest, DriverDescription, HostId, Idempotency, InstanceRef, IntentId, OperationId, PowerAction,
    ProviderId, SlotNaming,
};

use super::chance::Chance;

pub(crate) type InstanceKey = ProviderId;

/// How often, in percent, something goes wrong.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    /// Calls refused for now, without effect.
    pub(crate) throttle: u8,
    /// Destroys refused for good.
    pub(crate) refused: u8,
    /// What every power call fails with.
    pub(crate) power: Option<FailureKind>,
    /// Destroys of what is gone that say so, instead of success.
    pub(crate) forgotten: u8,
    /// Creates that make only a part.
    pub(crate) capacity: u8,
    /// Creates refused for good.
    pub(crate) lasting: u8,
    /// Calls that had their effect and whose answer never came.
    pub(crate) lost: u8,
    /// Outcomes and reports that come later, and in another order.
    pub(crate) late: u8,
    /// Outcomes and reports that come again, rounds later.
    pub(crate) twice: u8,
    /// Plans made on the state of a while ago, by a leader that is none any more.
    pub(crate) stale_plan: u8,
    /// Owners that were started anew.
    pub(crate) owner: u8,
    /// Agents that lose their session.
    pub(crate) flap: u8,
    /// Permits whose task fails.
    pub(crate) not_done: u8,
    /// Instances that never boot.
    pub(crate) dead: u8,
}

impl Faults {
    pub(crate) const MANY: Self = Self {
        throttle: 20,
        refused: 0,
        power: None,
        forgotten: 50,
        capacity: 15,
        lasting: 2,
        lost: 15,
        late: 25,
        twice: 15,
        stale_plan: 25,
        owner: 5,
        flap: 5,
        not_done: 15,
        dead: 3,
    };
    /// Whatever these do, every host still gets where it is wanted.
    pub(crate) const PASSING: Self = Self { lasting: 0, capacity: 0, dead: 0, ..Self::MANY };
}

#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) reference: InstanceRef,
    pub(crate) intent: IntentId,
    /// The host and incarnation, where slots are named.
    pub(crate) slot: Option<(HostId, u32)>,
    pub(crate) made_for: Option<OperationId>,
    pub(crate) token: Digest,
    pub(crate) address: IpAddr,
    pub(crate) running: bool,
    pub(crate) boots: u64,
    /// Never boots.
    pub(crate) dead: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Cloud {
    pub(crate) description: DriverDescription,
    pub(crate) machines: BTreeMap<InstanceKey, Machine>,
    /// What each token made, and why not more: the answer to every replay.
    answers: BTreeMap<String, (Vec<Placement>, Option<Shortfall>)>,
    next: u64,
    /// Instances that may be made yet; beyond that creates are refused for good.
    pub(crate) room: usize,
    /// Creates that had an effect.
    pub(crate) made: u64,
}

impl Cloud {
    pub(crate) fn new(description: DriverDescription) -> Self {
        Self {
            description,
            machines: BTreeMap::new(),
            answers: BTreeMap::new(),
            next: 0,
            room: usize::MAX,
            made: 0,
        }
    }

    /// The create call. The second part of the answer says why there are fewer instances than slots.
    pub(crate) fn ensure(
        &mut self,
        intent: &Intent,
        made_for: &dyn Fn(HostId) -> Option<OperationId>,
        faults: &Faults,
        chance: &mut Chance,
    ) -> (Vec<Placement>, Option<Shortfall>) {
        let IntentKind::Create { token, slots, .. } = &intent.kind else {
            return (Vec::new(), None);
        };
        let replayed = self.saved(intent);
        if self.description.idempotency != Idempotency::None
            && let Some(answer) = replayed
        {
            return answer;
        }
        if chance.percent(faults.throttle) {
            let kind = FailureKind::Passing { retry_after: Duration::from_secs(chance.next() % 5) };
            return (Vec::new(), Some(shortfall(kind, "throttled")));
        }
        let (count, why) = if self.room < slots.len() {
            (self.room, Some(shortfall(FailureKind::Lasting, "quota")))
        } else if chance.percent(faults.lasting) {
            (0, Some(shortfall(FailureKind::Lasting, "bad template")))
        } else if chance.percent(faults.capacity) {
            (chance.below(slots.len()), Some(shortfall(FailureKind::Capacity, "no capacity")))
        } else {
            (slots.len(), None)
        };
        let placements: Vec<Placement> = slots[..count]
            .iter()
            .map(|slot| self.make(intent.id, slot, made_for(slot.host), chance.percent(faults.dead)))
            .collect();
        self.answers.insert(token.clone(), (placements.clone(), why.clone()));
        (placements, why)
    }

    fn make(
        &mut self,
        intent: IntentId,
        slot: &IntentSlot,
        made_for: Option<OperationId>,
        dead: bool,
    ) -> Placement {
        self.next += 1;
        self.made += 1;
        self.room -= 1;
        let named = self.description.batch.naming == SlotNaming::Named;
        let name = if named { slot.name.to_string() } else { format!("skep-{intent}-{}", self.next) };
        let unique = self.description.idempotency == Idempotency::UniqueName;
        let twin = || self.machines.values().any(|machine| machine.reference.name == name);
        assert!(!unique || !twin(), "a name twice: {name}");
        let provider_id: ProviderId = format!("vm-{:04}", self.next).parse().expect("a provider id");
        let reference = InstanceRef { provider_id: provider_id.clone(), name };
        let [.., high, low] = self.next.to_be_bytes();
        let address = IpAddr::V4(Ipv4Addr::new(10, 0, high, low));
        let machine = Machine {
            reference: reference.clone(),
            intent,
            slot: named.then_some((slot.host, slot.incarnation)),
            made_for,
            token: slot.token,
            address,
            running: true,
            boots: 1,
            dead,
        };
        self.machines.insert(provider_id, machine);
        Placement {
            host: named.then_some(slot.host),
            instance: reference,
            private_address: Some(address),
            public_address: None,
            zone: "a".to_owned(),
            sealed_kept: None,
        }
    }

    /// What a create with this token made, if anything: how a lost attempt is adopted.
    pub(crate) fn saved(&self, intent: &Intent) -> Option<(Vec<Placement>, Option<Shortfall>)> {
        match &intent.kind {
            IntentKind::Create { token, .. } => self.answers.get(token).cloned(),
            IntentKind::Power { .. } | IntentKind::Destroy { .. } => None,
        }
    }

    /// A power or destroy call: one result per target. Destroying what is gone is success.
    pub(crate) fn act(
        &mut self,
        intent: &Intent,
        faults: &Faults,
        chance: &mut Chance,
    ) -> Vec<Result<(), Failure>> {
        let (targets, action) = match &intent.kind {
            IntentKind::Power { targets, action } => (targets, Some(*action)),
            IntentKind::Destroy { targets } => (targets, None),
            IntentKind::Create { .. } => return Vec::new(),
        };
        let mut result = |target: &Target| {
            if chance.percent(faults.throttle) {
                let kind = FailureKind::Passing { retry_after: Duration::from_secs(1) };
                return Err(Failure { kind, message: "throttled".to_owned() });
            }
            if let Some(kind) = faults.power.filter(|_| action.is_some()) {
                return Err(Failure { kind, message: "not this one".to_owned() });
            }
            if action.is_none() && chance.percent(faults.refused) {
                return Err(Failure { kind: FailureKind::Lasting, message: "no such name".to_owned() });
            }
            let gone = !self.machines.contains_key(&target.instance.provider_id);
            if action.is_none() && gone && chance.percent(faults.forgotten) {
                return Err(Failure { kind: FailureKind::Gone, message: "no such instance".to_owned() });
            }
            self.act_on(&target.instance.provider_id, action);
            Ok(())
        };
        targets.iter().map(&mut result).collect()
    }

    fn act_on(&mut self, id: &InstanceKey, action: Option<PowerAction>) {
        let Some(action) = action else {
            self.machines.remove(id);
            return;
        };
        let Some(machine) = self.machines.get_mut(id) else {
            return;
        };
        match action {
            PowerAction::Stop | PowerAction::Kill => machine.running = false,
            PowerAction::Start if machine.running => {}
            PowerAction::Start | PowerAction::Restart => {
                machine.running = true;
                machine.boots += 1;
            }
        }
    }
}

fn shortfall(kind: FailureKind, message: &str) -> Shortfall {
    Shortfall { kind, message: message.to_owned() }
}
