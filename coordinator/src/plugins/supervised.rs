//! A driver program as a kind, and its process for one account as a driver.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use skep_driver::plugin::{Launch, PluginDriver};
use skep_driver::{Access, Call, Driver, DriverError, ErrorKind, Kind, Route, Routed};
use skep_types::{DriverDescription, DriverName};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::DropGuard;

use super::watch::{Link, Watch};
use super::{Candidate, Host};

/// A program that said what it is. Every account gets a process of its own.
#[derive(Debug)]
pub struct Supervised {
    host: Arc<Host>,
    candidate: Candidate,
    variant: Option<String>,
    description: DriverDescription,
}

impl Supervised {
    pub(super) fn new(
        host: Arc<Host>,
        candidate: Candidate,
        variant: Option<String>,
        description: DriverDescription,
    ) -> Self {
        Self { host, candidate, variant, description }
    }

    pub(super) fn name(&self) -> &DriverName {
        &self.description.name
    }

    pub(super) fn program(&self) -> &Path {
        &self.candidate.program
    }

    pub(super) fn variant(&self) -> Option<&str> {
        self.variant.as_deref()
    }

    /// Whether this file, unchanged, has said it.
    pub(super) fn is_of(&self, candidate: &Candidate) -> bool {
        self.candidate == *candidate
    }

    /// The same file, that says the same of itself.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.candidate == other.candidate
            && self.variant == other.variant
            && self.description == other.description
    }
}

#[async_trait]
impl Kind for Supervised {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    async fn open(&self, access: Access) -> Result<Arc<dyn Driver>, DriverError> {
        let folder = self.host.folder().map_err(|error| {
            DriverError::new(ErrorKind::Unavailable, "no folder for the driver program's socket")
                .caused_by(error)
        })?;
        let launch = Launch {
            program: self.candidate.program.clone(),
            variant: self.variant.clone(),
            folder,
            environment: self.host.environment.clone(),
        };
        let driver = self.description.name.to_string();
        let watch = Watch { host: Arc::clone(&self.host), launch, driver, access };
        let first = match watch.start().await {
            Ok(first) => first,
            Err(error) => {
                watch.remove_folder();
                return Err(error);
            }
        };
        let (sender, link) = watch::channel(Link::Up(Arc::clone(&first.driver)));
        let stop = self.host.stop.child_token();
        self.host.watches.spawn(watch.run(first, sender, stop.clone()));
        Ok(Arc::new(Routed(Held { description: self.description.clone(), link, _stop: stop.drop_guard() })))
    }
}

/// Its process ends when this is dropped.
#[derive(Debug)]
struct Held {
    /// The one that was registered: a program that was replaced under our feet does not change what was promised.
    description: DriverDescription,
    link: watch::Receiver<Link>,
    _stop: DropGuard,
}

impl Held {
    /// Nothing was sent where there is nobody to send it to.
    fn up(&self) -> Result<Arc<dyn Driver>, DriverError> {
        let message = match &*self.link.borrow() {
            Link::Up(driver) => return Ok(Arc::<PluginDriver>::clone(driver)),
            Link::Down { reason, again } => {
                let wait = again.saturating_duration_since(Instant::now()).as_secs();
                format!("the driver program is down: {reason}; it is started again in {wait} s")
            }
            Link::Over => "the driver program was stopped".to_owned(),
        };
        Err(DriverError::new(ErrorKind::Unavailable, message))
    }
}

impl Route for Held {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    async fn route<T, F, Fut>(&self, _call: Call, go: F) -> Result<T, DriverError>
    where
        T: Send,
        F: Fn(Arc<dyn Driver>) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, DriverError>> + Send,
    {
        go(self.up()?).await
    }
}
