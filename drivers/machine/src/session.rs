//! One plugin at work on one machine, for one call.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use skep_driver::{DriverError, ErrorKind};
use skep_machine_protocol::{Launch, Limits, Mask, Plugin, PluginError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::debug;

use crate::folder::{Folder, Workshop};
use crate::kept::Kept;
use crate::users::{Lease, UserRange, Users};
use crate::{errors, portable};

/// Plugins at once: each takes some 17 MiB.
const PLUGINS: usize = 32;
/// Within one driver call of 120 s.
pub(crate) const READ: Duration = Duration::from_secs(30);
pub(crate) const ACT: Duration = Duration::from_secs(100);

/// Everything that a plugin of one account is started with.
#[derive(Debug)]
pub(crate) struct Shop {
    program: PathBuf,
    driver: String,
    path: OsString,
    workshop: Workshop,
    users: Option<Users>,
    places: Arc<Semaphore>,
    mask: Mask,
}

impl Shop {
    pub(crate) fn open(
        (program, driver, path): (&Path, &str, &OsStr),
        work: &Path,
        users: Option<UserRange>,
        secrets: impl IntoIterator<Item = String>,
    ) -> io::Result<Self> {
        Ok(Self {
            program: program.to_owned(),
            driver: driver.to_owned(),
            path: path.to_owned(),
            workshop: Workshop::open(work)?,
            users: users.map(|range| Users::new(range, work)).transpose()?,
            places: Arc::new(Semaphore::new(PLUGINS)),
            mask: Mask::new(secrets),
        })
    }

    /// Nothing of our own environment: plugins of one family read credentials from there.
    fn launch(&self, machine: &str, folder: &Folder, lease: Option<&Lease>, limits: Limits) -> Launch {
        let variables = [
            ("PATH", self.path.clone()),
            ("HOME", folder.path().into()),
            ("TMPDIR", folder.temporary().into()),
            ("LANG", "C.UTF-8".into()),
        ];
        Launch {
            program: self.program.clone(),
            driver: self.driver.clone(),
            machine: machine.to_owned(),
            environment: BTreeMap::from(variables.map(|(name, value)| (name.into(), value))),
            folder: folder.path().to_owned(),
            user: lease.map(|lease| lease.user),
            mask: self.mask.clone(),
            limits,
        }
    }
}

/// Dropped, it kills the plugin.
#[derive(Debug)]
pub(crate) struct Session {
    // In this order: the plugin ends before its folder goes, and its user is lent again after both.
    pub(crate) plugin: Plugin,
    pub(crate) folder: Folder,
    _lease: Option<Lease>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Session {
    /// A plugin that has been told everything that is kept of the machine.
    pub(crate) async fn open(shop: &Shop, kept: &Kept, limits: Limits) -> Result<Self, DriverError> {
        // Never closed.
        let place = Arc::clone(&shop.places).acquire_owned().await.ok();
        let unusable = |error: io::Error| {
            DriverError::new(ErrorKind::Unavailable, "the plugin's folder cannot be made").caused_by(error)
        };
        let lease = match &shop.users {
            Some(users) => Some(users.lease().await.map_err(unusable)?),
            None => None,
        };
        let folder = shop.workshop.lay(kept, lease.as_ref().map(|lease| lease.user)).map_err(unusable)?;
        let launch = shop.launch(&kept.machine, &folder, lease.as_ref(), limits);
        let plugin = Plugin::start(launch).await.map_err(errors::starting)?;
        let session = Self { plugin, folder, _lease: lease, _place: place };
        let config = session.config_of(kept).to_string();
        session.plugin.set_config(config.as_bytes()).await.map_err(errors::starting)?;
        Ok(session)
    }

    /// A machine that never was has a name and a place, and for all else the driver's defaults.
    fn config_of(&self, kept: &Kept) -> Value {
        let store = self.folder.store().display().to_string();
        if kept.config.is_null() {
            return json!({ "MachineName": kept.machine, "StorePath": store });
        }
        let mut config = kept.config.clone();
        portable::arrive(&mut config, &store);
        config
    }

    /// Takes over what the plugin has changed. True if it has changed something.
    pub(crate) async fn save(&self, kept: &mut Kept) -> Result<bool, DriverError> {
        let config = self.plugin.config().await.map_err(errors::reading(&kept.machine))?;
        let mut config: Value = serde_json::from_slice(&config).map_err(|error| {
            DriverError::new(ErrorKind::Internal, "the plugin's configuration is not JSON").caused_by(error)
        })?;
        portable::leave(&mut config, &self.folder.store().display().to_string());
        let files = self.files()?;
        if (&config, &files) == (&kept.config, &kept.files) {
            return Ok(false);
        }
        (kept.config, kept.files) = (config, files);
        kept.generation += 1;
        Ok(true)
    }

    /// Of a plugin that has died, too: its folder is there until this session ends.
    pub(crate) fn files(&self) -> Result<BTreeMap<String, String>, DriverError> {
        self.folder.files().map_err(|error| {
            DriverError::new(ErrorKind::Unsupported, "the plugin's files cannot be kept").caused_by(error)
        })
    }

    /// Everything that matters was saved before; a plugin that does not end by itself was killed.
    pub(crate) async fn close(self) {
        if let Err(error) = self.plugin.close().await
            && !matches!(error, PluginError::Stopped)
        {
            debug!(%error, "a plugin did not end in order");
        }
    }
}
