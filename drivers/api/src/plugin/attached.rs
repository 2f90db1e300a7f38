//! A driver program that somebody else has started.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use skep_types::DriverDescription;

use super::PluginDriver;
use crate::{Access, Driver, DriverError, Kind};

/// The kind of the program that answers on a socket. All accounts of it share that one program: it is told of each, and
/// acts for the one it was told of last.
#[derive(Debug)]
pub struct Attached {
    socket: PathBuf,
    description: DriverDescription,
}

impl Attached {
    pub async fn connect(socket: &Path) -> Result<Self, DriverError> {
        let description = PluginDriver::connect(socket).await?.describe().clone();
        Ok(Self { socket: socket.to_owned(), description })
    }
}

#[async_trait]
impl Kind for Attached {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    async fn open(&self, access: Access) -> Result<Arc<dyn Driver>, DriverError> {
        let mut driver = PluginDriver::connect(&self.socket).await?;
        driver.configure(access).await?;
        Ok(Arc::new(driver))
    }
}
