//! The program's side of being one: a socket only its user can open, one line when it answers, and an end.
//!
//! ```text
//! --socket PATH ─► bind (0600) ─► "serving unix:PATH" ─► serve ─► SIGTERM · SIGINT · end of its input ─► remove the socket
//! ```
//! A program whose input is a pipe is held by whoever started it, and ends when that pipe does: it never outlives its
//! coordinator, however that one ended.

mod log;
mod words;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustix::fs::{FileType, Mode};
use skep_types::chain;
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{ServeError, serve};
use crate::{DriverError, Kind};
pub use log::log_as_json;
use words::Words;

/// Calls under way may take this long to end; whoever stopped us is gone, or kills us soon.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// What a driver program can be: one kind, or several that are chosen by `--variant`.
#[async_trait]
pub trait Family: Send + Sync {
    /// What can be chosen on this machine, each a DNS label; None where there is never anything to choose.
    async fn variants(&self) -> Option<Vec<String>>;

    /// The kind of a variant, or the only one.
    async fn kind(&self, variant: Option<&str>) -> Result<Arc<dyn Kind>, DriverError>;
}

/// A family of one.
#[derive(Debug)]
pub struct Only(pub Arc<dyn Kind>);

#[async_trait]
impl Family for Only {
    async fn variants(&self) -> Option<Vec<String>> {
        None
    }

    async fn kind(&self, variant: Option<&str>) -> Result<Arc<dyn Kind>, DriverError> {
        match variant {
            None => Ok(Arc::clone(&self.0)),
            Some(_) => Err(DriverError::new(crate::ErrorKind::Unsupported, "this program has no variants")),
        }
    }
}

/// All that `main` of a driver program does. `words` are the process's own, its name first.
pub async fn main(words: impl Iterator<Item = OsString>, family: &dyn Family) -> ExitCode {
    match Words::read(words.skip(1)) {
        Ok(Words::Variants) => match family.variants().await {
            Some(variants) => print(&variants.join("\n")),
            None => misused("this program has no variants"),
        },
        Ok(Words::Serve { socket, variant }) => {
            log_as_json("info");
            match run(&socket, variant.as_deref(), family).await {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    tracing::error!(error = %chain(&*error), "the driver program ends");
                    ExitCode::FAILURE
                }
            }
        }
        Err(usage) => misused(&usage.to_string()),
    }
}

fn misused(why: &str) -> ExitCode {
    // Who cannot be told sees the exit code.
    let _ = writeln!(std::io::stderr(), "{why}");
    ExitCode::from(2)
}

async fn run(
    socket: &Path,
    variant: Option<&str>,
    family: &dyn Family,
) -> Result<(), Box<dyn std::error::Error>> {
    let kind = family.kind(variant).await?;
    Ok(Program::start(socket).await?.serve(kind).await?)
}

fn print(lines: &str) -> ExitCode {
    let ended = if lines.is_empty() { Ok(()) } else { writeln!(std::io::stdout(), "{lines}") };
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    #[error("somebody already serves {0}")]
    Taken(PathBuf),
    #[error("cannot {doing} {path}")]
    Socket { doing: &'static str, path: PathBuf, source: std::io::Error },
    #[error("cannot listen for signals")]
    Signals(#[source] std::io::Error),
    #[error("cannot write to standard output")]
    Announce(#[source] std::io::Error),
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// A socket that is bound, for a program with a command line of its own.
#[derive(Debug)]
pub struct Program {
    socket: PathBuf,
    listener: UnixListener,
    shutdown: CancellationToken,
}

impl Program {
    /// Takes the place of a process that is gone, never of one that still answers.
    pub async fn start(socket: &Path) -> Result<Self, ProgramError> {
        if UnixStream::connect(socket).await.is_ok() {
            return Err(ProgramError::Taken(socket.to_owned()));
        }
        remove(socket)?;
        let listener = bind(socket)?;
        Ok(Self { socket: socket.to_owned(), listener, shutdown: until_told()? })
    }

    /// Says so on standard output, serves until it is told to stop, and removes the socket.
    pub async fn serve(self, kind: Arc<dyn Kind>) -> Result<(), ProgramError> {
        writeln!(std::io::stdout(), "serving unix:{}", self.socket.display())
            .map_err(ProgramError::Announce)?;
        let late = async {
            self.shutdown.cancelled().await;
            tokio::time::sleep(LAST_CALLS).await;
        };
        let served = tokio::select! {
            served = serve(kind, self.listener, self.shutdown.clone()) => served,
            () = late => Ok(()),
        };
        remove(&self.socket)?;
        Ok(served?)
    }
}

/// Nobody else can open it from the first moment on.
fn bind(socket: &Path) -> Result<UnixListener, ProgramError> {
    let before = rustix::process::umask(Mode::RWXG | Mode::RWXO | Mode::XUSR);
    let listener = UnixListener::bind(socket);
    rustix::process::umask(before);
    listener.map_err(|source| ProgramError::Socket { doing: "listen on", path: socket.to_owned(), source })
}

fn remove(socket: &Path) -> Result<(), ProgramError> {
    match std::fs::remove_file(socket) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(ProgramError::Socket { doing: "remove", path: socket.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Cancelled by a signal, or by the end of an input that is a pipe: for a program that serves something else, too.
pub fn until_told() -> Result<CancellationToken, ProgramError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ProgramError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ProgramError::Signals)?;
    let shutdown = CancellationToken::new();
    let told = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        told.cancel();
    });
    if is_held() {
        let let_go = shutdown.clone();
        // Of the system and not of the runtime, which would wait for it at its end.
        std::thread::spawn(move || {
            let mut scratch = [0; 64];
            while matches!(std::io::stdin().read(&mut scratch), Ok(read) if read > 0) {}
            let_go.cancel();
        });
    }
    Ok(shutdown)
}

/// A terminal or /dev/null holds nobody: a program may be started by hand, too.
fn is_held() -> bool {
    rustix::fs::fstat(std::io::stdin())
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
}
