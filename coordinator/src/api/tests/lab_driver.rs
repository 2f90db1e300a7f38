//! A driver that describes itself, checks templates, and makes nothing.

use std::sync::Arc;

use async_trait::async_trait;
use skep_driver::{
    Access, CreateIntent, Driver, DriverError, ErrorKind, Instance, Kind, Page, Placed, Target, flags,
};
use skep_types::{DriverDescription, PowerAction, Template};

use crate::api::fixture;

/// Of an endpoint that never answers, no driver is ever opened.
pub(super) const SILENT: &str = "silent";

#[derive(Debug)]
pub(super) struct LabKind(Arc<LabDriver>);

impl LabKind {
    pub(super) fn new() -> Self {
        Self(Arc::new(LabDriver(fixture::driver())))
    }
}

#[async_trait]
impl Kind for LabKind {
    fn describe(&self) -> &DriverDescription {
        self.0.describe()
    }

    async fn open(&self, access: Access) -> Result<Arc<dyn Driver>, DriverError> {
        if access.options.get("lab-endpoint").is_some_and(|endpoint| endpoint == SILENT) {
            std::future::pending::<()>().await;
        }
        Ok(Arc::clone(&self.0) as Arc<dyn Driver>)
    }
}

#[derive(Debug)]
struct LabDriver(DriverDescription);

#[async_trait]
impl Driver for LabDriver {
    fn describe(&self) -> &DriverDescription {
        &self.0
    }

    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        flags::read(&self.0.flags, template).map(drop)
    }

    async fn ensure(&self, _: &CreateIntent) -> Result<Placed, DriverError> {
        let shortfall = DriverError::new(ErrorKind::Quota, "the lab makes nothing");
        Ok(Placed { instances: Vec::new(), shortfall: Some(shortfall) })
    }

    async fn list(&self, _: &str, _: Option<&str>) -> Result<Page, DriverError> {
        Ok(Page::default())
    }

    async fn observe(
        &self,
        _: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        let gone = |_: &Target| Err(DriverError::new(ErrorKind::NotFound, "the lab is empty"));
        Ok(targets.iter().map(gone).collect())
    }

    async fn power(
        &self,
        _: &str,
        _: PowerAction,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        Ok(targets.iter().map(|_| Ok(())).collect())
    }

    async fn destroy(
        &self,
        _: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        Ok(targets.iter().map(|_| Ok(())).collect())
    }

    async fn console(&self, _: &str, _: &Target) -> Result<String, DriverError> {
        Ok(String::new())
    }
}
