//! What becomes of an instance: its power, its end, and the replies about both.

use std::sync::Arc;
use std::time::Duration;

use skep_driver::{DriverError, ErrorKind, Instance, InstanceState, Page};
use skep_types::{InstanceRef, PowerAction, ProviderId};
use tokio::time::Instant;

use super::calls::Call;
use super::dice::{self, Purpose};
use super::instance::Record;
use super::{SimWorld, ms, number_of};
use crate::config::Behaviour;
use crate::software::{Halt, Software};

/// A change of state that was decided, and what is to come of it.
#[derive(Debug, Clone, Copy)]
struct Change {
    halt: Option<Halt>,
    now: InstanceState,
    next: Option<(Duration, InstanceState)>,
}

/// What an action does to an instance in this state; None where it is there already.
fn change(record: &Record, action: PowerAction) -> Option<Change> {
    use InstanceState::{Destroyed, Running, Starting, Stopped, Stopping};
    let (boot, power) = (ms(record.boot_ms), ms(record.power_ms));
    match (action, record.state) {
        (_, Destroyed)
        | (PowerAction::Start, Starting | Running)
        | (PowerAction::Stop, Stopping | Stopped)
        | (PowerAction::Kill, Stopped) => None,
        (PowerAction::Start, Stopped | Stopping) => {
            Some(Change { halt: None, now: Starting, next: Some((boot, Running)) })
        }
        (PowerAction::Stop, Starting | Running) => {
            Some(Change { halt: Some(Halt::Orderly), now: Stopping, next: Some((power, Stopped)) })
        }
        (PowerAction::Restart, _) => {
            Some(Change { halt: Some(Halt::Orderly), now: Starting, next: Some((power + boot, Running)) })
        }
        (PowerAction::Kill, _) => Some(Change { halt: Some(Halt::Cut), now: Stopped, next: None }),
    }
}

impl SimWorld {
    /// Instances of `cluster` after the one named by the token, in the order they were made.
    pub(crate) fn page(&self, cluster: &str, token: Option<&str>) -> Result<Page, DriverError> {
        let after: u64 = match token {
            Some(token) => token.parse().map_err(|error| {
                DriverError::new(ErrorKind::Internal, "not a page token").caused_by(error)
            })?,
            None => 0,
        };
        let (state, now) = (self.lock(), Instant::now());
        let mut shown = state.instances.range(after + 1..).filter(|(_, record)| {
            let ours = record.cluster.as_deref() == Some(cluster);
            ours && record.state != InstanceState::Destroyed && record.visible_at <= now
        });
        let page: Vec<_> = shown.by_ref().take(self.config.page_size).collect();
        let next = shown.next().and(page.last()).map(|(number, _)| number.to_string());
        Ok(Page { instances: page.into_iter().map(|(_, record)| record.shown()).collect(), next })
    }

    pub(crate) fn look(&self, cluster: &str, instance: &InstanceRef) -> Result<Instance, DriverError> {
        self.lock().visible(cluster, &instance.provider_id).map(Record::shown)
    }

    pub(crate) fn console(&self, cluster: &str, instance: &InstanceRef) -> Result<String, DriverError> {
        let state = self.lock();
        Ok(state.visible(cluster, &instance.provider_id)?.console.join("\n"))
    }

    /// Returns how long it takes until the instance is there.
    pub(crate) fn switch(
        self: &Arc<Self>,
        cluster: &str,
        action: PowerAction,
        instance: &InstanceRef,
    ) -> Result<Duration, DriverError> {
        let mut state = self.lock();
        let record = state.visible_mut(cluster, &instance.provider_id)?;
        if record.state == InstanceState::Destroyed {
            return Err(DriverError::new(ErrorKind::NotFound, format!("{} was destroyed", record.id)));
        }
        let Some(change) = change(record, action) else { return Ok(Duration::ZERO) };
        Ok(self.apply(record, change))
    }

    fn apply(self: &Arc<Self>, record: &mut Record, change: Change) -> Duration {
        if let Some(how) = change.halt {
            halt(self.software.as_ref(), record, how);
        }
        record.enter(change.now);
        let Some((after, next)) = change.next else { return Duration::ZERO };
        if let Some(number) = number_of(&record.id) {
            self.later(number, record.generation, after, next);
        }
        // A start is answered at once, as clouds do; a stop when it stopped.
        if next == InstanceState::Stopped { after } else { Duration::ZERO }
    }

    pub(crate) fn remove(&self, cluster: &str, instance: &InstanceRef) -> Result<(), DriverError> {
        let mut state = self.lock();
        state.refuse_foreign(cluster, &instance.provider_id)?;
        let id = state.visible(cluster, &instance.provider_id)?.id.clone();
        self.end(&mut state, &id);
        Ok(())
    }

    fn end(&self, state: &mut super::State, id: &ProviderId) {
        let Some(number) = number_of(id) else { return };
        let Some(record) = state.instances.get_mut(&number) else { return };
        if record.state == InstanceState::Destroyed {
            return;
        }
        halt(self.software.as_ref(), record, Halt::Cut);
        state.bury(number);
        self.software.erase(id);
    }

    /// Waits as long as this call's reply takes beyond its work, or loses it.
    pub(crate) async fn reply(&self, call: &Call<'_>, behaviour: &Behaviour) -> Result<(), DriverError> {
        let seed = self.config.seed;
        if dice::happens(seed, Purpose::LateReply, call.sequence, behaviour.late_replies_percent) {
            tokio::time::sleep(ms(behaviour.late_reply_ms)).await;
        }
        if dice::happens(seed, Purpose::LostReply, call.sequence, behaviour.lost_replies_percent) {
            return Err(DriverError::new(ErrorKind::Ambiguous, "the simulated reply was lost"));
        }
        Ok(())
    }

    /// Enters `state` after a while, unless something else happens to the instance before.
    pub(super) fn later(
        self: &Arc<Self>,
        number: u64,
        generation: u64,
        after: Duration,
        state: InstanceState,
    ) {
        let world = Arc::clone(self);
        let at = Instant::now() + after;
        self.runtime.spawn(async move {
            tokio::time::sleep_until(at).await;
            world.arrive(number, generation, state);
        });
    }

    fn arrive(&self, number: u64, generation: u64, next: InstanceState) {
        let mut state = self.lock();
        let Some(record) = state.instances.get_mut(&number) else { return };
        if record.generation != generation {
            return;
        }
        record.enter(next);
        if next == InstanceState::Running {
            record.boots += 1;
            if !record.boot_fails {
                self.software.boot(record.machine());
            }
        }
    }

    /// The instance loses its power; nobody at the provider's decided so.
    pub fn cut_power(self: &Arc<Self>, id: &ProviderId) {
        let mut state = self.lock();
        let Some(record) = number_of(id).and_then(|number| state.instances.get_mut(&number)) else { return };
        if let Some(change) = change(record, PowerAction::Kill) {
            self.apply(record, change);
        }
    }

    /// The power comes back.
    pub fn restore_power(self: &Arc<Self>, id: &ProviderId) {
        let mut state = self.lock();
        let Some(record) = number_of(id).and_then(|number| state.instances.get_mut(&number)) else { return };
        if let Some(change) = change(record, PowerAction::Start) {
            self.apply(record, change);
        }
    }

    /// The instance is destroyed behind everybody's back.
    pub fn vanish(&self, id: &ProviderId) {
        let mut state = self.lock();
        self.end(&mut state, id);
    }
}

/// Tells the software, where some was running.
fn halt(software: &dyn Software, record: &Record, how: Halt) {
    if record.state == InstanceState::Running && !record.boot_fails {
        software.halt(&record.id, how);
    }
}
