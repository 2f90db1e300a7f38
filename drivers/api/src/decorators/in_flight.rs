//! No more calls with an effect at once than the account takes.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::around::{Around, decorate};
use crate::{Call, Driver, DriverError, ErrorKind};

/// Lets so many create, power and destroy calls through; the others wait in order. Calls without an effect pass at
/// once. Put it around a [`crate::decorators::Deadline`], so that waiting does not count against a call.
#[derive(Debug)]
pub struct MaxInFlight(Semaphore);

impl MaxInFlight {
    /// `calls` is the account's; at least one, or nothing would ever pass.
    pub fn on(driver: Arc<dyn Driver>, calls: u32) -> Arc<dyn Driver> {
        decorate(driver, Self(Semaphore::new(calls.max(1) as usize)))
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
        let _permit = self.0.acquire().await.map_err(closed)?;
        go().await
    }
}
