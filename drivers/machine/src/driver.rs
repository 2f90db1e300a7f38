//! The driver: each call of the trait, handed to the module that does it.

use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use skep_driver::{CreateIntent, Driver, DriverError, ErrorKind, Instance, Page, Placed, Target, Tunnel};
use skep_types::{DriverDescription, PowerAction, Template};

use crate::create::{self, Making};
use crate::{life, tunnel};

/// Machines of one call that are looked at or changed at once.
const AT_ONCE: usize = 16;
/// Of one page: each carries what is kept of it.
const PAGE: usize = 10;

#[derive(Debug)]
pub(crate) struct MachineDriver {
    making: Arc<Making>,
}

impl MachineDriver {
    pub(crate) fn new(making: Making) -> Self {
        Self { making: Arc::new(making) }
    }
}

#[async_trait]
impl Driver for MachineDriver {
    fn describe(&self) -> &DriverDescription {
        &self.making.description
    }

    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        create::check(&self.making, template).await
    }

    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        create::ensure(&self.making, intent).await
    }

    /// What this coordinator knows, without asking a plugin: there is one for each machine.
    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError> {
        let entries = self.making.shelf.after(page_token, cluster, PAGE + 1)?;
        let next = entries.get(PAGE).and(entries.get(PAGE - 1)).map(|last| last.kept.machine.clone());
        let page = entries.iter().take(PAGE).map(|entry| self.making.instance(&entry.kept));
        Ok(Page { instances: page.collect::<Result<_, _>>()?, next })
    }

    async fn observe(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        let looks: Vec<_> =
            targets.iter().map(|target| life::observe(&self.making, cluster, target)).collect();
        Ok(stream::iter(looks).buffered(AT_ONCE).collect().await)
    }

    async fn power(
        &self,
        cluster: &str,
        action: PowerAction,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        let acts: Vec<_> =
            targets.iter().map(|target| life::power(&self.making, cluster, action, target)).collect();
        Ok(stream::iter(acts).buffered(AT_ONCE).collect().await)
    }

    async fn destroy(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        let acts: Vec<_> =
            targets.iter().map(|target| life::destroy(&self.making, cluster, target)).collect();
        Ok(stream::iter(acts).buffered(AT_ONCE).collect().await)
    }

    async fn console(&self, _cluster: &str, _target: &Target) -> Result<String, DriverError> {
        Err(DriverError::new(ErrorKind::Unsupported, "the plugin protocol has no console"))
    }

    async fn tunnel(&self, cluster: &str, target: &Target, port: u16) -> Result<Tunnel, DriverError> {
        tunnel::tunnel(&self.making, cluster, target, port).await
    }
}
