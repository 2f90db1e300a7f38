//! No more calls with an effect at once than the driver said it takes.

use std::sync::Arc;

use async_trait::async_trait;
use skep_types::{DriverDescription, InstanceRef, PowerAction, Template};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{CreateIntent, Driver, DriverError, ErrorKind, Instance, Page, Placed};

/// Lets as many create, power and destroy calls through as `describe().calls_in_flight_max` says; the others wait
/// in order. Calls without an effect pass at once. Put it around a [`crate::decorators::Deadline`], so that
/// waiting does not count against a call.
#[derive(Debug)]
pub struct MaxInFlight {
    inner: Arc<dyn Driver>,
    permits: Semaphore,
}

impl MaxInFlight {
    pub fn new(inner: Arc<dyn Driver>) -> Self {
        let max = inner.describe().calls_in_flight_max.max(1);
        Self { permits: Semaphore::new(max as usize), inner }
    }

    async fn permit(&self) -> Result<SemaphorePermit<'_>, DriverError> {
        let closed = |error| {
            DriverError::new(ErrorKind::Unavailable, "the driver takes no more calls").caused_by(error)
        };
        self.permits.acquire().await.map_err(closed)
    }
}

#[async_trait]
impl Driver for MaxInFlight {
    fn describe(&self) -> &DriverDescription {
        self.inner.describe()
    }

    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        self.inner.check(template).await
    }

    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        let _permit = self.permit().await?;
        self.inner.ensure(intent).await
    }

    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError> {
        self.inner.list(cluster, page_token).await
    }

    async fn observe(
        &self,
        cluster: &str,
        instances: &[InstanceRef],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        self.inner.observe(cluster, instances).await
    }

    async fn power(
        &self,
        cluster: &str,
        action: PowerAction,
        instances: &[InstanceRef],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        let _permit = self.permit().await?;
        self.inner.power(cluster, action, instances).await
    }

    async fn destroy(
        &self,
        cluster: &str,
        instances: &[InstanceRef],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        let _permit = self.permit().await?;
        self.inner.destroy(cluster, instances).await
    }

    async fn console(&self, cluster: &str, instance: &InstanceRef) -> Result<String, DriverError> {
        self.inner.console(cluster, instance).await
    }
}
