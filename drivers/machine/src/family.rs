//! Every plugin that is found, as one family of kinds.

use std::sync::Arc;

use async_trait::async_trait;
use skep_driver::plugin::Family;
use skep_driver::{DriverError, ErrorKind, Kind};

use crate::{MachineKind, Settings, find};

/// `machine/NAME`, for each plugin NAME.
#[derive(Debug)]
pub struct Machines {
    settings: Settings,
}

impl Machines {
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }
}

#[async_trait]
impl Family for Machines {
    async fn variants(&self) -> Option<Vec<String>> {
        Some(find::variants(&self.settings.path).into_iter().collect())
    }

    async fn kind(&self, variant: Option<&str>) -> Result<Arc<dyn Kind>, DriverError> {
        let unusable = |message: &str| DriverError::new(ErrorKind::Unsupported, message);
        let name = variant.ok_or_else(|| unusable("the plugin's name is missing: --variant NAME"))?;
        let kind = MachineKind::discover(name, self.settings.clone()).await;
        Ok(Arc::new(kind.map_err(|error| unusable("the plugin cannot be served").caused_by(error))?))
    }
}
