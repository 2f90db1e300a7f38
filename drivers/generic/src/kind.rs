//! The kind: opens a driver for each account.

use std::sync::Arc;

use async_trait::async_trait;
use skep_driver::{Access, Driver, DriverError, Kind};
use skep_types::DriverDescription;

use crate::access::Account;
use crate::description::description;
use crate::driver::GenericDriver;

#[derive(Debug)]
pub struct GenericKind {
    description: DriverDescription,
}

impl GenericKind {
    pub fn new() -> Result<Self, DriverError> {
        Ok(Self { description: description()? })
    }
}

#[async_trait]
impl Kind for GenericKind {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    fn check(&self, access: &Access) -> Result<(), DriverError> {
        Account::read(access.clone()).map(drop)
    }

    async fn open(&self, access: Access) -> Result<Arc<dyn Driver>, DriverError> {
        Ok(Arc::new(GenericDriver::new(self.description.clone(), Account::read(access)?)))
    }
}
