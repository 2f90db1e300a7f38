//! The simulated cloud itself: what exists, who asked for it, and what becomes of it.
//!
//! ```text
//!  ensure ─► Starting ──latency + boot──► Running ─► Stopping ─► Stopped ─► Starting …   any ─► Destroyed
//! ```
//! An effect happens when its call arrives; what takes time is the reply, and what the instance does afterwards. A
//! caller that dies while it waits therefore leaves the effect behind, as with a real cloud.

mod calls;
mod create;
mod dice;
mod inspect;
mod instance;
mod power;
mod state;
mod throttle;
mod took;

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use skep_types::ProviderId;
use tokio::runtime::Handle;

use crate::config::{Behaviour, ConfigError, SimConfig};
use crate::software::Software;

pub use calls::Calls;
pub use inspect::{Double, SimInstance};
use state::State;
pub use took::Took;

/// Addresses and numbers of a world: 127.64.0.0/10 has so many.
const INSTANCES_EVER_MAX: u64 = 1 << 22;

/// One account of a simulated provider, shared by all drivers on it.
#[derive(Debug)]
pub struct SimWorld {
    config: SimConfig,
    software: Arc<dyn Software>,
    /// Instances live on when the caller's runtime ends.
    runtime: Handle,
    state: Mutex<State>,
}

impl SimWorld {
    /// Must be called within a tokio runtime, on which the instances live.
    pub fn new(config: SimConfig, software: Arc<dyn Software>) -> Result<Arc<Self>, ConfigError> {
        config.validate()?;
        let state = Mutex::new(State::new(config.behaviour.clone()));
        Ok(Arc::new(Self { config, software, runtime: Handle::current(), state }))
    }

    pub fn config(&self) -> &SimConfig {
        &self.config
    }

    /// Changes how the world behaves from now on; what is under way goes on as it was.
    pub fn set_behaviour(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.lock().behaviour);
    }

    pub(crate) fn behaviour(&self) -> Behaviour {
        self.lock().behaviour.clone()
    }

    /// No code that holds the lock can panic half-way through a change, so a poisoned state is still a whole one.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn address(&self, number: u64) -> Ipv4Addr {
        let offset = u32::try_from(number.saturating_sub(1)).unwrap_or(u32::MAX);
        Ipv4Addr::from(u32::from(self.config.first_address).wrapping_add(offset))
    }

    fn zone(&self, number: u64) -> String {
        let zones = &self.config.zones;
        let index = usize::try_from(number).unwrap_or_default() % zones.len();
        zones[index].clone()
    }
}

fn provider_id(number: u64) -> ProviderId {
    #[expect(clippy::expect_used, reason = "digits after a prefix are printable")]
    format!("sim-{number:06}").parse().expect("a valid provider id")
}

fn number_of(id: &ProviderId) -> Option<u64> {
    let number = id.as_str().strip_prefix("sim-")?.parse().ok()?;
    // One instance, one spelling.
    (provider_id(number) == *id).then_some(number)
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
