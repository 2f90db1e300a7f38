//! A provider that throttles breaks no rule: every call of the suite waits and tries again.

use std::sync::Arc;

use crate::decorators::{Around, decorate};
use crate::{Call, Driver, DriverError, ErrorKind};

/// A driver that throttles one call more often than this is broken.
const TRIES_MAX: usize = 1_000;

pub(super) fn patient(driver: Arc<dyn Driver>) -> Arc<dyn Driver> {
    decorate(driver, Patient)
}

#[derive(Debug)]
struct Patient;

impl Around for Patient {
    async fn around<T, F, Fut>(&self, _call: Call, go: F) -> Result<T, DriverError>
    where
        T: Send,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, DriverError>> + Send,
    {
        for _ in 1..TRIES_MAX {
            match go().await {
                Err(DriverError { kind: ErrorKind::Throttled { retry_after }, .. }) => {
                    tokio::time::sleep(retry_after).await;
                }
                answer => return answer,
            }
        }
        go().await
    }
}
