//! A driver that is opened by the call that needs it.

use std::sync::Arc;

use skep_driver::{Call, Driver, DriverError, ErrorKind, Method, Route, Routed};
use skep_types::DriverDescription;

use super::opening::Opening;
use crate::owner::Lease;

/// Innermost: what it lets through is sent at once.
#[derive(Debug)]
pub(super) struct Lazy {
    opening: Arc<Opening>,
    /// Of the owner. It may have run out while the call waited for its turn.
    lease: Option<Lease>,
}

impl Lazy {
    pub(super) fn on(opening: &Arc<Opening>, lease: Option<Lease>) -> Arc<dyn Driver> {
        Arc::new(Routed(Self { opening: Arc::clone(opening), lease }))
    }

    /// Whatever the opening failed of, nothing was sent: the same call may be made again.
    async fn driver(&self) -> Result<Arc<dyn Driver>, DriverError> {
        let driver = self.opening.current().await.map_err(|error| {
            let message = format!("account {} cannot be used", self.opening.account());
            DriverError::new(ErrorKind::Unavailable, message).caused_by(error)
        })?;
        if self.lease.as_ref().is_some_and(|lease| !lease.valid()) {
            let message = "this coordinator has lost touch with the leader; the call was not made";
            return Err(DriverError::new(ErrorKind::Unavailable, message));
        }
        Ok(driver)
    }
}

impl Route for Lazy {
    fn describe(&self) -> &DriverDescription {
        self.opening.kind().describe()
    }

    async fn route<T, F, Fut>(&self, call: Call, go: F) -> Result<T, DriverError>
    where
        T: Send,
        F: Fn(Arc<dyn Driver>) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, DriverError>> + Send,
    {
        let driver = self.driver().await?;
        let answer = go(Arc::clone(&driver)).await;
        // Whoever asks to be attested is refused for evidence of its own.
        let refused = call.method != Method::Attest
            && answer.as_ref().err().is_some_and(|error| error.kind == ErrorKind::Auth);
        // Nothing was done by a call that was refused: with other credentials it may be made once more.
        if refused && self.opening.refused(&driver).await { go(self.driver().await?).await } else { answer }
    }
}
