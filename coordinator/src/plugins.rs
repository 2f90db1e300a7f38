//! Driver programs: found on the plugin path, asked what they are, and kept running for as long as an account uses them.
//!
//! ```text
//! --plugin-path ─► scan: trusted files ─► handshake: what each is ─► Supervised (a Kind) ─► open ─► one process an account
//!        ▲            └─ refused ┄┐             └─ broken ┄┐                                        └─ watch: restart, with
//!        └ follow: changes, SIGHUP└┄┄┄┄┄► said, never fatal ┘                                          back-off, or stop
//! ```

mod backoff;
mod follow;
mod handshake;
mod logs;
mod look;
mod scan;
mod supervised;
mod timing;
mod watch;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use skep_driver::Kind;
use skep_driver::plugin::Environment;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use look::{Found, Whom};
use scan::{Candidate, Mark};
pub use supervised::Supervised;
pub use timing::Timing;

#[derive(Debug)]
pub struct Settings {
    /// Folders, the first that has a name wins.
    pub path: Vec<PathBuf>,
    /// For sockets. What is in it is removed: no other coordinator may use it.
    pub run: PathBuf,
    pub environment: Environment,
    pub timing: Timing,
}

/// A program that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// As far as it is known: the driver's.
    pub name: String,
    pub program: PathBuf,
    pub reason: String,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot prepare {path} for driver programs")]
pub struct RunFolderError {
    path: PathBuf,
    source: std::io::Error,
}

/// All driver programs of this machine.
#[derive(Debug)]
pub struct Plugins {
    path: Vec<PathBuf>,
    host: Arc<Host>,
    /// What was found at the last look.
    found: Mutex<Found>,
    /// The files as they were at the first.
    looked_at: Vec<Mark>,
}

/// What all programs share.
#[derive(Debug)]
struct Host {
    run: PathBuf,
    environment: Environment,
    timing: Timing,
    /// One folder a process.
    folders: AtomicU64,
    stop: CancellationToken,
    watches: TaskTracker,
}

impl Plugins {
    /// Looks through the path, and asks every program what it is.
    pub async fn find(settings: Settings) -> Result<Self, RunFolderError> {
        let host = Arc::new(Host::new(settings.run, settings.environment, settings.timing)?);
        // Without them, the first of the next looks finds all of them different.
        let looked_at = scan::away(&settings.path, scan::marks).await.unwrap_or_default();
        let nothing = Found::default();
        let found = look::look(&host, &settings.path, &nothing, Whom::All).await.since(&nothing);
        Ok(Self { path: settings.path, host, found: Mutex::new(found), looked_at })
    }

    pub fn kinds(&self) -> Vec<Arc<dyn Kind>> {
        self.found().kinds.values().map(|kind| Arc::clone(kind) as Arc<dyn Kind>).collect()
    }

    pub fn broken(&self) -> Vec<Broken> {
        self.found().broken.clone()
    }

    /// Every change is whole while the lock is held.
    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all processes; comes back when none is left.
    pub async fn stop(&self) {
        self.host.stop.cancel();
        self.host.watches.close();
        self.host.watches.wait().await;
    }
}

impl Host {
    fn new(run: PathBuf, environment: Environment, timing: Timing) -> Result<Self, RunFolderError> {
        let failed = |source| RunFolderError { path: run.clone(), source };
        // Sockets of a coordinator that was killed; its programs ended with it.
        match std::fs::remove_dir_all(&run) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        private_folder(&run).map_err(failed)?;
        Ok(Self {
            run,
            environment,
            timing,
            folders: AtomicU64::new(0),
            stop: CancellationToken::new(),
            watches: TaskTracker::new(),
        })
    }

    /// For one process; short, because a socket's path has to be.
    fn folder(&self) -> std::io::Result<PathBuf> {
        let number = self.folders.fetch_add(1, Ordering::Relaxed);
        let folder = self.run.join(number.to_string());
        private_folder(&folder)?;
        Ok(folder)
    }
}

fn private_folder(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().mode(0o700).recursive(true).create(path)
}
