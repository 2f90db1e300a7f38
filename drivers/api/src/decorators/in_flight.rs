//! No more calls with an effect at once than the account takes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::around::{Around, decorate};
use crate::{Call, Driver, DriverError, ErrorKind};

/// Lets so many create, power and destroy calls through; the others wait in order. Calls without an effect pass at
/// once. Put it around a [`crate::decorators::Deadline`], so that waiting does not count against a call.
#[derive(Debug)]
pub struct MaxInFlight {
    permits: Semaphore,
    bound: Mutex<Bound>,
}

#[derive(Debug)]
struct Bound {
    calls: usize,
    /// Permits that calls under way still have, of a bound that was larger: they end with their calls.
    surplus: usize,
}

impl MaxInFlight {
    /// `calls` is the account's; at least one, or nothing would ever pass.
    pub fn on(driver: Arc<dyn Driver>, calls: u32) -> Arc<dyn Driver> {
        decorate(driver, Self::new(calls))
    }

    pub fn new(calls: u32) -> Self {
        let calls = calls.max(1) as usize;
        Self { permits: Semaphore::new(calls), bound: Mutex::new(Bound { calls, surplus: 0 }) }
    }

    /// Also for calls that wait already. Those under way go on.
    pub fn change(&self, calls: u32) {
        let calls = calls.max(1) as usize;
        let mut bound = self.bound();
        let more = calls.saturating_sub(bound.calls);
        let kept = more.min(bound.surplus);
        bound.surplus -= kept;
        self.permits.add_permits(more - kept);
        let fewer = bound.calls.saturating_sub(calls);
        bound.surplus += fewer - self.permits.forget_permits(fewer);
        bound.calls = calls;
    }

    /// Every change is whole while the lock is held.
    fn bound(&self) -> MutexGuard<'_, Bound> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Around for MaxInFlight {
    async fn around<T, F, Fut>(&self, call: Call, go: F) -> Result<T, DriverError>
    where
        T: Send,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, DriverError>> + Send,
    {
        if !call.method.has_effect() {
            return go().await;
        }
        let closed = |error| {
            DriverError::new(ErrorKind::Unavailable, "the driver takes no more calls").caused_by(error)
        };
        let _permit = Permit { of: self, permit: Some(self.permits.acquire().await.map_err(closed)?) };
        go().await
    }
}

struct Permit<'a> {
    of: &'a MaxInFlight,
    permit: Option<SemaphorePermit<'a>>,
}

impl Drop for Permit<'_> {
    /// Given back, or no more, while nobody changes the bound.
    fn drop(&mut self) {
        let mut bound = self.of.bound();
        let Some(permit) = self.permit.take() else { return };
        if bound.surplus > 0 {
            bound.surplus -= 1;
            permit.forget();
        }
    }
}
