//! A driver that is opened by the call that needs it.

use std::sync::Arc;

use async_trait::async_trait;
use skep_driver::{CreateIntent, Driver, DriverError, ErrorKind, Instance, Page, Placed, Target};
use skep_types::{DriverDescription, PowerAction, Template};

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
        Arc::new(Self { opening: Arc::clone(opening), lease })
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

#[async_trait]
impl Driver for Lazy {
    fn describe(&self) -> &DriverDescription {
        self.opening.kind().describe()
    }

    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        self.driver().await?.check(template).await
    }

    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        self.driver().await?.ensure(intent).await
    }

    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError> {
        self.driver().await?.list(cluster, page_token).await
    }

    async fn observe(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        self.driver().await?.observe(cluster, targets).await
    }

    async fn power(
        &self,
        cluster: &str,
        action: PowerAction,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        self.driver().await?.power(cluster, action, targets).await
    }

    async fn destroy(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        self.driver().await?.destroy(cluster, targets).await
    }

    async fn console(&self, cluster: &str, target: &Target) -> Result<String, DriverError> {
        self.driver().await?.console(cluster, target).await
    }
}
