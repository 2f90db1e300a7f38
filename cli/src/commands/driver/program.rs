//! A driver program that is run on this machine, by us.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use skep_driver::plugin::{
    Environment, Launch, LogLine, LogSink, Patience, PluginDriver, Process, introduce,
};
use tempfile::TempDir;

use crate::failure::{Failure, chain};
use crate::surroundings::{Streams, Surroundings};

pub(super) const END: Duration = Duration::from_secs(10);
/// As long as a coordinator waits.
const PATIENCE: Patience =
    Patience { ready: Duration::from_secs(30), handshake: Duration::from_secs(10), grace: END };

pub(super) fn environment(surroundings: &Surroundings) -> Environment {
    Environment::out_of(|name| surroundings.variables.get(name).map(OsString::from))
}

/// One process, which has said what it is.
pub(super) struct Program {
    pub(super) process: Process,
    pub(super) driver: PluginDriver,
    /// Its socket's.
    _folder: TempDir,
}

/// How processes of one program are started.
pub(super) struct Starter {
    pub(super) program: PathBuf,
    pub(super) variant: Option<String>,
    pub(super) environment: Environment,
    pub(super) logs: LogSink,
}

impl Starter {
    /// With its trouble on our standard error; with everything it logs, if `all`.
    pub(super) fn new(
        program: &Path,
        variant: Option<&str>,
        surroundings: &Surroundings,
        all: bool,
    ) -> Result<Self, Failure> {
        let unusable = |error: std::io::Error| Failure::Program(format!("{}: {error}", program.display()));
        Ok(Self {
            // It is started in a folder of its own.
            program: program.canonicalize().map_err(unusable)?,
            variant: variant.map(str::to_owned),
            environment: environment(surroundings),
            logs: told_on(surroundings.streams.clone(), all),
        })
    }

    pub(super) async fn start(&self) -> Result<Program, Failure> {
        let shown = self.program.display();
        let folder = private_folder()?;
        let launch = Launch {
            program: self.program.clone(),
            variant: self.variant.clone(),
            folder: folder.path().to_owned(),
            environment: self.environment.clone(),
        };
        let started = introduce(&launch, PATIENCE, Arc::clone(&self.logs)).await;
        let (process, driver) =
            started.map_err(|error| Failure::Program(format!("{shown}: {}", chain(&error))))?;
        Ok(Program { process, driver, _folder: folder })
    }
}

/// For sockets and keys; nobody else can open it.
pub(super) fn private_folder() -> Result<TempDir, Failure> {
    let made = tempfile::Builder::new().prefix("skep-driver-").tempdir();
    made.map_err(|source| Failure::Write { path: "a folder for temporary files".into(), source })
}

fn told_on(streams: Streams, all: bool) -> LogSink {
    Arc::new(move |_, line: LogLine| {
        if all || line.is_trouble() {
            streams.tell(&format!("{} {}\n", line.level, line.message));
        }
    })
}
