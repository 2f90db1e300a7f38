//! Every call ends: a driver that hangs must not hold its account's slots for ever.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use skep_types::{DriverDescription, InstanceRef, PowerAction, Template};

use crate::{CreateIntent, Driver, DriverError, ErrorKind, Instance, Method, Page, Placed};

/// Drops a call that has not answered in time. What it had begun may have an effect, so it counts as `Ambiguous`
/// where it could.
#[derive(Debug)]
pub struct Deadline {
    inner: Arc<dyn Driver>,
    limit: Duration,
}

impl Deadline {
    /// `limit` is [`skep_types::limits::DRIVER_CALL`] but in tests.
    pub fn new(inner: Arc<dyn Driver>, limit: Duration) -> Self {
        Self { inner, limit }
    }

    async fn bound<T>(
        &self,
        method: Method,
        call: impl Future<Output = Result<T, DriverError>>,
    ) -> Result<T, DriverError> {
        tokio::time::timeout(self.limit, call).await.unwrap_or_else(|_| Err(self.late(method)))
    }

    fn late(&self, method: Method) -> DriverError {
        let kind = if method.has_effect() { ErrorKind::Ambiguous } else { ErrorKind::Unavailable };
        DriverError::new(kind, format!("{method} did not answer within {} s", self.limit.as_secs_f32()))
    }
}

#[async_trait]
impl Driver for Deadline {
    fn describe(&self) -> &DriverDescription {
        self.inner.describe()
    }

    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        self.bound(Method::Check, self.inner.check(template)).await
    }

    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        self.bound(Method::Ensure, self.inner.ensure(intent)).await
    }

    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError> {
        self.bound(Method::List, self.inner.list(cluster, page_token)).await
    }

    async fn observe(
        &self,
        cluster: &str,
        instances: &[InstanceRef],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        self.bound(Method::Observe, self.inner.observe(cluster, instances)).await
    }

    async fn power(
        &self,
        cluster: &str,
        action: PowerAction,
        instances: &[InstanceRef],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        self.bound(Method::Power, self.inner.power(cluster, action, instances)).await
    }

    async fn destroy(
        &self,
        cluster: &str,
        instances: &[InstanceRef],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        self.bound(Method::Destroy, self.inner.destroy(cluster, instances)).await
    }

    async fn console(&self, cluster: &str, instance: &InstanceRef) -> Result<String, DriverError> {
        self.bound(Method::Console, self.inner.console(cluster, instance)).await
    }
}
