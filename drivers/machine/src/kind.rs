//! A kind for each plugin: what it is, and its opening for an account.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use skep_driver::{Access, Driver, DriverError, ErrorKind, Kind};
use skep_machine_protocol::{CreateFlag, Limits, PluginError};
use skep_types::{DriverDescription, Secret};

use crate::create::{Desk, Making};
use crate::description::description;
use crate::driver::MachineDriver;
use crate::kept::Kept;
use crate::session::{Session, Shop};
use crate::shelf::Shelf;
use crate::users::UserRange;
use crate::way_in::WayIn;
use crate::{find, ssh::SshWayIn};

/// Where plugins work when they have users of their own: a path that all of them can walk.
const WORK: &str = "/run/skep-driver-machine";
/// Of a create, before `ensure` says that it goes on: so often what is known of it is committed.
const WAIT: Duration = Duration::from_secs(30);
/// A plugin ends ten seconds after its last heartbeat, and a driver program five after its coordinator.
const LINGER: Duration = Duration::from_secs(20);

/// The name that a plugin is asked for its flags under. No cloud sees it.
const LOOKUP: &str = "flag-lookup";

/// What the program was told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where plugins are looked for, and what they have as their own PATH.
    pub path: OsString,
    /// None: plugins run as we do.
    pub users: Option<UserRange>,
    /// Where plugins work. None: in the account's folder, or in `/run` where they have users of their own.
    pub work: Option<PathBuf>,
    /// How long `ensure` waits for a create, which goes on when it is over.
    pub wait: Duration,
    /// How long a create goes on that nobody asks for, and how long what was cut off is let alone.
    pub linger: Duration,
}

impl Settings {
    pub fn new(path: OsString, users: Option<UserRange>) -> Self {
        Self { path, users, work: None, wait: WAIT, linger: LINGER }
    }

    fn work(&self, state: &Path) -> PathBuf {
        match (&self.work, self.users) {
            (Some(work), _) => work.clone(),
            (None, Some(_)) => PathBuf::from(WORK),
            (None, None) => state.join("work"),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    #[error(
        "there is no program docker-machine-driver-{0} on the path, and it is no driver of docker-machine"
    )]
    NotFound(String),
    #[error("a kind of driver cannot be called machine/{0}")]
    Name(String),
    #[error("a folder to ask the plugin in cannot be made")]
    Folder(#[from] std::io::Error),
    #[error("the plugin {0} cannot be asked for its flags")]
    Start(String, #[source] DriverError),
    #[error("the plugin {0} did not say what its flags are")]
    Flags(String, #[source] PluginError),
}

/// `machine/NAME`.
#[derive(Debug)]
pub struct MachineKind {
    program: PathBuf,
    name: String,
    settings: Settings,
    description: DriverDescription,
    flags: Vec<CreateFlag>,
    desk: Arc<Desk>,
    /// None: over SSH.
    way_in: Option<Arc<dyn WayIn>>,
}

impl MachineKind {
    /// Finds the plugin and asks it for its flags.
    pub async fn discover(name: &str, settings: Settings) -> Result<Self, DiscoverError> {
        let kind = find::kind(name).ok_or_else(|| DiscoverError::Name(name.to_owned()))?;
        let program = find::program(&settings.path, name);
        let program = program.ok_or_else(|| DiscoverError::NotFound(name.to_owned()))?;
        let flags = ask(&program, name, &settings).await?;
        let description = DriverDescription { settle: settings.linger, ..description(kind, &flags) };
        let (name, desk) = (name.to_owned(), Arc::default());
        Ok(Self { program, name, settings, description, flags, desk, way_in: None })
    }

    #[must_use]
    pub fn with_way_in(mut self, way_in: Arc<dyn WayIn>) -> Self {
        self.way_in = Some(way_in);
        self
    }

    fn shop(&self, access: &Access) -> std::io::Result<Shop> {
        let secrets = access.credentials.values().map(|secret| secret.reveal().to_owned());
        let work = self.settings.work(&access.state_dir);
        Shop::open((&self.program, &self.name, &self.settings.path), &work, self.settings.users, secrets)
    }
}

/// It is told nothing but a name.
async fn ask(program: &Path, name: &str, settings: &Settings) -> Result<Vec<CreateFlag>, DiscoverError> {
    let folder = tempfile::tempdir()?;
    let work = settings.work(folder.path());
    let shop = Shop::open((program, name, &settings.path), &work, settings.users, [])?;
    let session = Session::open(&shop, &Kept::unmade(LOOKUP), Limits::default()).await;
    let session = session.map_err(|error| DiscoverError::Start(name.to_owned(), error))?;
    let flags = session.plugin.create_flags().await;
    session.close().await;
    flags.map_err(|error| DiscoverError::Flags(name.to_owned(), error))
}

#[async_trait]
impl Kind for MachineKind {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    async fn open(&self, access: Access) -> Result<Arc<dyn Driver>, DriverError> {
        known_credentials(&self.description, &access)?;
        let shop = self.shop(&access).map_err(|error| {
            DriverError::new(ErrorKind::Unavailable, "the folder that plugins work in cannot be made")
                .caused_by(error)
        })?;
        let way_in = self.way_in.clone();
        Ok(Arc::new(MachineDriver::new(Making {
            account: access.account,
            shop,
            shelf: Shelf::open(&access.state_dir)?,
            desk: Arc::clone(&self.desk),
            description: self.description.clone(),
            flags: self.flags.clone(),
            way_in: way_in.unwrap_or_else(|| Arc::new(SshWayIn::new(access.agents_dir))),
            credentials: access.credentials,
            wait: self.settings.wait,
            linger: self.settings.linger,
        })))
    }
}

fn known_credentials(description: &DriverDescription, access: &Access) -> Result<(), DriverError> {
    let known = |name: &&String| description.credentials.iter().any(|credential| credential.name == **name);
    let unknown: Option<(&String, &Secret)> = access.credentials.iter().find(|(name, _)| !known(name));
    match unknown {
        None => Ok(()),
        Some((name, _)) => {
            Err(DriverError::new(ErrorKind::Auth, format!("{name} is no credential of {}", description.name)))
        }
    }
}
