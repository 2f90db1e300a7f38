//! The Docker swarms of simulated hosts: what their engines would tell, without engines.
//!
//! All hosts of a world share one [`SimSwarms`], as hosts on one network share their swarms. Raft is approximated:
//! a swarm has a leader while more than half of its managers are up, changes need one, and elections take no time.

mod engine;
mod membership;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use skep_types::ProviderId;
use tokio::sync::Notify;

pub use engine::SimEngine;
use state::{Machine, Part, State};

/// Every swarm of a world.
#[derive(Debug, Default)]
pub struct SimSwarms {
    state: Mutex<State>,
}

impl SimSwarms {
    /// The engine of an instance that has booted. Its part in a swarm is what it was.
    pub fn start(self: &Arc<Self>, id: &ProviderId, hostname: &str) -> SimEngine {
        let mut state = self.lock();
        let machine = state.machines.entry(id.clone()).or_insert_with(|| Machine {
            up: false,
            hostname: hostname.to_owned(),
            part: Part::None,
            changed: Arc::new(Notify::new()),
        });
        machine.up = true;
        let changed = Arc::clone(&machine.changed);
        state.tell_swarm_of(id);
        SimEngine::new(Arc::clone(self), id.clone(), changed)
    }

    /// The instance does not run any more: its node goes down.
    pub fn stop(&self, id: &ProviderId) {
        let mut state = self.lock();
        if let Some(machine) = state.machines.get_mut(id) {
            machine.up = false;
        }
        state.tell_swarm_of(id);
    }

    /// The instance's disk is gone. Its node stays listed, down, until somebody removes it.
    pub fn erase(&self, id: &ProviderId) {
        let mut state = self.lock();
        state.tell_swarm_of(id);
        state.machines.remove(id);
    }

    /// How many swarms there are, and how many nodes they list in all.
    pub fn count(&self) -> (usize, usize) {
        let state = self.lock();
        (state.swarms.len(), state.swarms.values().map(|swarm| swarm.nodes.len()).sum())
    }

    /// Every change is made whole while the lock is held, so a poisoned state is still a whole one.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
