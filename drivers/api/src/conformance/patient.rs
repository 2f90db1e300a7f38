//! A provider that throttles breaks no rule: every call of the suite waits and tries again.

use std::sync::Arc;

use async_trait::async_trait;
use skep_types::{DriverDescription, InstanceRef, PowerAction, Template};

use crate::{CreateIntent, Driver, DriverError, ErrorKind, Instance, Page, Placed};

/// A driver that throttles one call more often than this is broken.
const TRIES_MAX: usize = 1_000;

#[derive(Debug)]
pub(super) struct Patient(pub(super) Arc<dyn Driver>);

async fn patiently<T, F>(call: impl Fn() -> F) -> Result<T, DriverError>
where
    F: Future<Output = Result<T, DriverError>>,
{
    for _ in 1..TRIES_MAX {
        match call().await {
            Err(DriverError { kind: ErrorKind::Throttled { retry_after }, .. }) => {
                tokio::time::sleep(retry_after).await;
            }
            answer => return answer,
        }
    }
    call().await
}

#[async_trait]
impl Driver for Patient {
    fn describe(&self) -> &DriverDescription {
        self.0.describe()
    }

    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        patiently(|| self.0.check(template)).await
    }

    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        patiently(|| self.0.ensure(intent)).await
    }

    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError> {
        patiently(|| self.0.list(cluster, page_token)).await
    }

    async fn observe(
        &self,
        cluster: &str,
        instances: &[InstanceRef],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        patiently(|| self.0.observe(cluster, instances)).await
    }

    async fn power(
        &self,
        cluster: &str,
        action: PowerAction,
        instances: &[InstanceRef],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        patiently(|| self.0.power(cluster, action, instances)).await
    }

    async fn destroy(
        &self,
        cluster: &str,
        instances: &[InstanceRef],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        patiently(|| self.0.destroy(cluster, instances)).await
    }

    async fn console(&self, cluster: &str, instance: &InstanceRef) -> Result<String, DriverError> {
        patiently(|| self.0.console(cluster, instance)).await
    }
}
