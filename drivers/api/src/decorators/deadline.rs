//! Every call ends: a driver that hangs must not hold its account's slots for ever.

use std::sync::Arc;
use std::time::Duration;

use super::around::{Around, decorate};
use crate::{Call, Driver, DriverError, ErrorKind, Method};

/// Drops a call that has not answered in time. What it had begun may have an effect, so it counts as `Ambiguous`
/// where it could.
#[derive(Debug)]
pub struct Deadline(Duration);

impl Deadline {
    /// `limit` is [`skep_types::limits::DRIVER_CALL`] but in tests.
    pub fn on(driver: Arc<dyn Driver>, limit: Duration) -> Arc<dyn Driver> {
        decorate(driver, Self(limit))
    }

    fn late(&self, method: Method) -> DriverError {
        let kind = if method.has_effect() { ErrorKind::Ambiguous } else { ErrorKind::Unavailable };
        DriverError::new(kind, format!("{method} did not answer within {} s", self.0.as_secs_f32()))
    }
}

impl Around for Deadline {
    async fn around<T, F, Fut>(&self, call: Call, go: F) -> Result<T, DriverError>
    where
        T: Send,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, DriverError>> + Send,
    {
        tokio::time::timeout(self.0, go()).await.unwrap_or_else(|_| Err(self.late(call.method)))
    }
}
