//! Counting calls: how many of each, and how many at once.

use std::collections::BTreeMap;

use skep_driver::{DriverError, ErrorKind, Method};
use tokio::time::Instant;

use super::SimWorld;

/// What was asked of a world so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calls {
    /// Every call that arrived, throttled ones included.
    pub by_method: BTreeMap<Method, u64>,
    pub throttled: u64,
    /// The most calls with an effect that were under way at once.
    pub in_flight_max: u32,
}

impl Calls {
    pub fn of(&self, method: Method) -> u64 {
        self.by_method.get(&method).copied().unwrap_or_default()
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) calls: Calls,
    in_flight: u32,
    /// Counts all calls; the dice are thrown by it.
    sequence: u64,
}

/// A call under way; dropped when it was answered, or its caller is gone.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    world: &'a SimWorld,
    method: Method,
    pub(super) sequence: u64,
}

impl SimWorld {
    pub fn calls(&self) -> Calls {
        self.lock().calls.calls.clone()
    }

    /// Lets a call in, or throttles it.
    pub(crate) fn enter(&self, method: Method) -> Result<Call<'_>, DriverError> {
        let mut state = self.lock();
        let state = &mut *state;
        *state.calls.calls.by_method.entry(method).or_default() += 1;
        if let Some(per_second) = state.behaviour.calls_per_second
            && let Err(retry_after) = state.bucket.take(per_second, Instant::now())
        {
            state.calls.calls.throttled += 1;
            let message = format!("the simulated provider takes {per_second} calls a second");
            return Err(DriverError::new(ErrorKind::Throttled { retry_after }, message));
        }
        state.calls.sequence += 1;
        if method.has_effect() {
            state.calls.in_flight += 1;
            state.calls.calls.in_flight_max = state.calls.calls.in_flight_max.max(state.calls.in_flight);
        }
        Ok(Call { world: self, method, sequence: state.calls.sequence })
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if self.method.has_effect() {
            self.world.lock().calls.in_flight -= 1;
        }
    }
}
