//! Starting a driver program, and ending it: what coordinators and `skep driver test` do alike.
//!
//! ```text
//! Launch ─► spawn: own group, clean environment, held by its input ─► "serving …" on its output ─► Process
//!                                    └─ standard error ─► lines, bounded in length and rate ─► LogSink
//! ```
//! Whatever becomes of a [`Process`], its whole process group ends with it.

mod environment;
mod group;
mod line;
mod pump;
mod splitter;
mod variants;

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use environment::Environment;
use group::Group;
pub use line::LogLine;
use pump::{Pump, Tail};
pub use variants::variants;

/// Takes what a program wrote, with its process id.
pub type LogSink = Arc<dyn Fn(u32, LogLine) + Send + Sync>;

/// The kernel's bound, without the end.
const SOCKET_PATH_BYTES: usize = 107;
/// What a process that has ended wrote last is read for this long: a grandchild may hold its pipes open.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A program, and where it shall serve.
#[derive(Debug, Clone)]
pub struct Launch {
    pub program: PathBuf,
    pub variant: Option<String>,
    /// Exists, and only its user can open it; nothing else uses it.
    pub folder: PathBuf,
    pub environment: Environment,
}

/// Why a program is not there.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0} is too long for a socket's path: at most {SOCKET_PATH_BYTES} bytes are possible")]
    Path(PathBuf),
    #[error("{program} cannot be started")]
    Spawn { program: PathBuf, source: std::io::Error },
    #[error("it ended ({status}) before it served{last_words}")]
    Ended { status: String, last_words: String },
    #[error("it did not say that it serves within {} s{last_words}", patience.as_secs_f64())]
    Silent { patience: Duration, last_words: String },
}

/// A program that serves.
#[derive(Debug)]
pub struct Process {
    /// First, so that the group is ended while the child still holds its number.
    group: Group,
    child: Child,
    /// The program ends when this does.
    held: Option<ChildStdin>,
    pumps: JoinSet<()>,
    tail: Tail,
    socket: PathBuf,
}

impl Process {
    /// Starts it, and waits until it says that it serves.
    pub async fn start(launch: &Launch, patience: Duration, logs: LogSink) -> Result<Self, StartError> {
        let socket = launch.folder.join("socket");
        if socket.as_os_str().as_bytes().len() > SOCKET_PATH_BYTES {
            return Err(StartError::Path(socket));
        }
        let (mut process, ready) = Self::spawn(launch, socket, logs)?;
        let ready = async {
            // An output that ended without a word is the end of the program, which tells more.
            if ready.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let served = tokio::select! {
            served = timeout(patience, ready) => served.is_ok(),
            // It may have said so and died at once: that it is gone is what matters.
            status = process.child.wait() => return Err(process.ended_early(status).await),
        };
        if served {
            return Ok(process);
        }
        let last_words = process.tail.told();
        process.stop(Duration::ZERO).await;
        Err(StartError::Silent { patience, last_words })
    }

    fn spawn(
        launch: &Launch,
        socket: PathBuf,
        logs: LogSink,
    ) -> Result<(Self, oneshot::Receiver<()>), StartError> {
        let unstartable = |source| StartError::Spawn { program: launch.program.clone(), source };
        let mut command = launch.environment.command(&launch.program);
        command.arg("--socket").arg(&socket);
        if let Some(variant) = &launch.variant {
            command.args(["--variant", variant]);
        }
        command.current_dir(&launch.folder);
        let mut child = piped(&mut command).spawn().map_err(unstartable)?;
        let gone = || unstartable(std::io::Error::other("it ended at once"));
        let pid = child.id().ok_or_else(gone)?;
        let (told, ready) = oneshot::channel();
        let tail = Tail::default();
        let pump = Pump::new(pid, logs, tail.clone());
        let mut pumps = JoinSet::new();
        if let (Some(output), Some(errors)) = (child.stdout.take(), child.stderr.take()) {
            pumps.spawn(pump.clone().output(output, told));
            pumps.spawn(pump.errors(errors));
        }
        let held = child.stdin.take();
        Ok((Self { group: Group::of(pid), child, held, pumps, tail, socket }, ready))
    }

    async fn ended_early(mut self, status: std::io::Result<ExitStatus>) -> StartError {
        self.drain().await;
        StartError::Ended { status: told(status), last_words: self.tail.told() }
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Ends its input and nothing else. Whether it ended by itself within `patience`, as it has to.
    pub async fn let_go(mut self, patience: Duration) -> bool {
        drop(self.held.take());
        timeout(patience, self.child.wait()).await.is_ok()
    }

    pub fn pid(&self) -> u32 {
        self.group.pid()
    }

    /// Waits for its end, and says how it ended with what it said last.
    pub async fn ended(&mut self) -> String {
        let status = told(self.child.wait().await);
        self.drain().await;
        format!("it ended ({status}){}", self.tail.told())
    }

    async fn drain(&mut self) {
        let _ = timeout(LAST_WORDS, async { while self.pumps.join_next().await.is_some() {} }).await;
    }

    /// Asks it to end, and ends its group after `grace` at the latest.
    pub async fn stop(mut self, grace: Duration) {
        self.group.terminate();
        let _ = timeout(grace, self.child.wait()).await;
        self.drain_if_ended().await;
        self.group.kill();
        let _ = self.child.wait().await;
    }

    async fn drain_if_ended(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            self.drain().await;
        }
    }
}

fn piped(command: &mut Command) -> &mut Command {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C at our terminal is for us: we stop it when its calls are no longer needed.
        .process_group(0)
        .kill_on_drop(true)
}

fn told(status: std::io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}
