//! Making instances, in each idempotency class.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use skep_driver::{CreateIntent, DriverError, ErrorKind, InstanceState, Placed, Slot};
use skep_types::{FieldViolation, Secret};
use tokio::time::Instant;

use super::calls::Call;
use super::dice::{self, Purpose};
use super::instance::Record;
use super::state::{Reservation, State};
use super::{INSTANCES_EVER_MAX, SimWorld, ms, provider_id};
use crate::config::{IdempotencyClass, Naming};
use crate::options::Options;

/// What a create call did, and when it may say so.
#[derive(Debug)]
struct Made {
    numbers: Vec<u64>,
    shortfall: Option<ErrorKind>,
}

impl SimWorld {
    /// The effect is there when this is first polled; the rest is waiting for the reply.
    pub(crate) async fn create(
        self: &Arc<Self>,
        call: &Call<'_>,
        intent: &CreateIntent,
        options: &Options,
    ) -> Result<Placed, DriverError> {
        let made = self.decide(call, intent, options)?;
        let ready_at = {
            let state = self.lock();
            made.numbers.iter().filter_map(|n| state.instances.get(n)).map(|r| r.ready_at).max()
        };
        if let Some(ready_at) = ready_at {
            tokio::time::sleep_until(ready_at).await;
        }
        self.reply(call, &options.behaviour).await?;
        Ok(self.placed(intent, made))
    }

    fn decide(
        self: &Arc<Self>,
        call: &Call<'_>,
        intent: &CreateIntent,
        options: &Options,
    ) -> Result<Made, DriverError> {
        let mut state = self.lock();
        state.asked.insert((intent.cluster.clone(), intent.intent), intent.slots.len());
        let behaviour = &options.behaviour;
        let partial =
            dice::happens(self.config.seed, Purpose::Partial, call.sequence, behaviour.partial_percent);
        match self.config.idempotency {
            IdempotencyClass::Token => self.by_token(&mut state, intent, options, partial),
            IdempotencyClass::UniqueName => Ok(self.by_name(&mut state, intent, options, partial)),
            IdempotencyClass::None if intent.lost => Ok(left(&state, intent)),
            IdempotencyClass::None => Ok(self.fill(&mut state, intent, &intent.slots, options, partial)),
        }
    }

    fn by_token(
        self: &Arc<Self>,
        state: &mut State,
        intent: &CreateIntent,
        options: &Options,
        partial: bool,
    ) -> Result<Made, DriverError> {
        let now = Instant::now();
        let key = (intent.cluster.clone(), intent.token.clone());
        if let Some(known) = state.tokens.get(&key).filter(|known| known.forgotten_at > now) {
            if known.fingerprint != fingerprint(intent) {
                return Err(wrong("token", "was used for another request"));
            }
            return Ok(Made { numbers: known.made.clone(), shortfall: known.shortfall.clone() });
        }
        let made = self.fill(state, intent, &intent.slots, options, partial);
        let reservation = Reservation {
            fingerprint: fingerprint(intent),
            made: made.numbers.clone(),
            shortfall: made.shortfall.clone(),
            forgotten_at: now + ms(self.config.token_retention_ms),
        };
        state.tokens.insert(key, reservation);
        Ok(made)
    }

    /// Finds what the intent made before, and makes the rest. A name that anything else has is refused.
    fn by_name(
        self: &Arc<Self>,
        state: &mut State,
        intent: &CreateIntent,
        options: &Options,
        partial: bool,
    ) -> Made {
        let mut made = Made { numbers: Vec::new(), shortfall: None };
        let mut missing = Vec::new();
        for slot in &intent.slots {
            let Some(number) = state.names.get(&slot.name) else {
                missing.push(slot.clone());
                continue;
            };
            let ours = state.instances.get(number).is_some_and(|record| {
                record.cluster.as_ref() == Some(&intent.cluster) && record.intent == Some(intent.intent)
            });
            if ours {
                made.numbers.push(*number);
            } else {
                made.shortfall = Some(wrong("name", &format!("{} is taken", slot.name)).kind);
            }
        }
        let rest = self.fill(state, intent, &missing, options, partial);
        made.numbers.extend(rest.numbers);
        made.shortfall = made.shortfall.or(rest.shortfall);
        made
    }

    /// Makes one instance a slot, as long as there is room; only half of them where chance wants it.
    fn fill(
        self: &Arc<Self>,
        state: &mut State,
        intent: &CreateIntent,
        slots: &[Slot],
        options: &Options,
        partial: bool,
    ) -> Made {
        let partial = partial && !slots.is_empty();
        let slots = if partial { &slots[..slots.len() / 2] } else { slots };
        let mut made = Made { numbers: Vec::new(), shortfall: partial.then_some(ErrorKind::Capacity) };
        for slot in slots {
            if options.behaviour.capacity.is_some_and(|capacity| state.live >= capacity) {
                made.shortfall = Some(ErrorKind::Capacity);
                break;
            }
            let number = state.instances.len() as u64 + 1;
            if number > INSTANCES_EVER_MAX {
                made.shortfall = Some(ErrorKind::Quota);
                break;
            }
            let record = self.record(number, Some((intent, slot)), options);
            self.add(state, number, record);
            made.numbers.push(number);
        }
        made
    }

    fn add(self: &Arc<Self>, state: &mut State, number: u64, record: Record) {
        let running_after = record.ready_at - record.made_at + ms(record.boot_ms);
        let generation = record.generation;
        state.names.insert(record.name.clone(), number);
        state.live += 1;
        state.instances.insert(number, record);
        self.later(number, generation, running_after, InstanceState::Running);
    }

    fn record(&self, number: u64, asked: Option<(&CreateIntent, &Slot)>, options: &Options) -> Record {
        let behaviour = &options.behaviour;
        let now = Instant::now();
        let named = self.config.naming == Naming::Named;
        let slot = asked.map(|(_, slot)| slot);
        // All instances of a call get the first slot's user-data where they cannot be told apart.
        let user_data =
            asked.and_then(|(intent, slot)| if named { Some(slot) } else { intent.slots.first() });
        let latency = dice::around(self.config.seed, Purpose::Latency, number, behaviour.latency_ms);
        Record {
            id: provider_id(number),
            name: slot.filter(|_| named).map_or_else(|| format!("sim-{number:06}"), |slot| slot.name.clone()),
            cluster: asked.map(|(intent, _)| intent.cluster.clone()),
            intent: asked.map(|(intent, _)| intent.intent),
            host: slot.filter(|_| named).map(|slot| (slot.host, slot.incarnation)),
            address: self.address(number),
            zone: options.zone.clone().unwrap_or_else(|| self.zone(number)),
            agent_config: user_data
                .map_or_else(|| Secret::new(""), |slot| slot.bootstrap.agent_config.clone()),
            boot_ms: behaviour.boot_ms,
            power_ms: behaviour.power_ms,
            boot_fails: behaviour.boot_fails || asked.is_none(),
            made_at: now,
            ready_at: now + ms(latency),
            visible_at: now + ms(behaviour.visibility_ms),
            state: InstanceState::Starting,
            generation: 0,
            boots: 0,
            console: Vec::new(),
        }
    }

    fn placed(&self, intent: &CreateIntent, made: Made) -> Placed {
        let state = self.lock();
        let records = made.numbers.iter().filter_map(|number| state.instances.get(number));
        let living = records.filter(|record| record.state != InstanceState::Destroyed);
        let instances: Vec<_> = living.map(Record::shown).collect();
        let gone = made.numbers.len() - instances.len();
        let missing = intent.slots.len() - instances.len();
        let kind = made.shortfall.or((gone > 0).then_some(ErrorKind::NotFound));
        let shortfall = kind.map(|kind| {
            DriverError::new(kind, format!("{missing} instances are missing, {gone} are gone again"))
        });
        Placed { instances, shortfall }
    }

    /// Makes an instance that carries no tag of skep's, and runs nothing.
    pub fn make_foreign(self: &Arc<Self>, name: &str) -> skep_types::InstanceRef {
        let mut state = self.lock();
        let number = state.instances.len() as u64 + 1;
        let options = Options { behaviour: state.behaviour.clone(), zone: None };
        let record = Record { name: name.to_owned(), ..self.record(number, None, &options) };
        let made = record.shown().instance;
        self.add(&mut state, number, record);
        made
    }
}

/// What a call that was lost has made. That there is less than asked proves nothing: it may still be on its way.
fn left(state: &State, intent: &CreateIntent) -> Made {
    let ours = state.instances.iter().filter(|(_, record)| {
        record.cluster.as_ref() == Some(&intent.cluster) && record.intent == Some(intent.intent)
    });
    let numbers: Vec<u64> = ours.map(|(number, _)| *number).collect();
    let shortfall = (numbers.len() < intent.slots.len()).then_some(ErrorKind::Ambiguous);
    Made { numbers, shortfall }
}

fn wrong(field: &str, description: &str) -> DriverError {
    let violations = vec![FieldViolation { field: field.to_owned(), description: description.to_owned() }];
    DriverError::new(ErrorKind::InvalidSpec { violations }, format!("{field} {description}"))
}

/// Tells whether a replay is the same request.
fn fingerprint(intent: &CreateIntent) -> u64 {
    let mut hasher = DefaultHasher::new();
    (intent.intent, &intent.template.options, &intent.template.labels).hash(&mut hasher);
    for slot in &intent.slots {
        (&slot.name, slot.host, slot.incarnation).hash(&mut hasher);
        slot.bootstrap.agent_config.reveal().hash(&mut hasher);
    }
    hasher.finish()
}
