//! The process: started, watched to its end, and killed when it must be.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::output::Output;
use super::{Launch, PluginError};

/// From the kill to the end. Only the kernel can keep a killed process longer.
const DEATH: Duration = Duration::from_secs(10);
/// From the end of the process to that of its output. A child that it left behind may hold the pipes for ever.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// Ends a process, for the reason that comes first.
#[derive(Debug, Clone, Default)]
pub(super) struct Stopper {
    why: Arc<OnceLock<PluginError>>,
    token: CancellationToken,
}

impl Stopper {
    pub(super) fn stop(&self, why: PluginError) {
        // A later reason is a consequence of the first.
        let _ = self.why.set(why);
        self.token.cancel();
    }

    /// The process is being stopped, or has ended.
    pub(super) async fn stopped(&self) {
        self.token.cancelled().await;
    }
}

#[derive(Debug)]
pub(super) struct Process {
    pid: Option<u32>,
    stopper: Stopper,
    ended: watch::Receiver<Option<PluginError>>,
    supervisor: JoinHandle<()>,
}

impl Process {
    /// The process, and its address once it tells one.
    pub(super) fn start(launch: &Launch) -> Result<(Self, oneshot::Receiver<SocketAddr>), PluginError> {
        let unstartable = |error: io::Error| PluginError::Start {
            program: launch.program.display().to_string(),
            source: Arc::new(error),
        };
        launch.program.metadata().map_err(unstartable)?;
        let mut child = launch.command().spawn().map_err(unstartable)?;
        let pid = child.id();
        debug!(driver = launch.driver, machine = launch.machine, pid, "plugin started");
        let stopper = Stopper::default();
        let output = Output::new(launch, stopper.clone());
        let (address, told) = oneshot::channel();
        let mut drains = JoinSet::new();
        if let Some(pipe) = child.stdout.take() {
            drains.spawn(Arc::clone(&output).drain_out(pipe, address));
        }
        if let Some(pipe) = child.stderr.take() {
            drains.spawn(Arc::clone(&output).drain_err(pipe));
        }
        let (sender, ended) = watch::channel(None);
        let supervisor = tokio::spawn(supervise(child, drains, output, stopper.clone(), sender));
        Ok((Self { pid, stopper, ended, supervisor }, told))
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.pid
    }

    pub(super) fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Why it ended, once it has.
    pub(super) async fn ended(&self) -> PluginError {
        let mut ended = self.ended.clone();
        // The supervisor tells before it ends.
        let told = ended.wait_for(Option::is_some).await.ok().and_then(|why| why.clone());
        told.unwrap_or(PluginError::Stopped)
    }

    /// Kills it. What comes back is the reason it ended for, which may be an earlier one.
    pub(super) async fn stop(&self, why: PluginError) -> PluginError {
        self.stopper.stop(why);
        self.ended().await
    }

    pub(super) async fn join(&mut self) {
        // It is not cancelled, and does not panic.
        let _ = (&mut self.supervisor).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stopper.stop(PluginError::Stopped);
    }
}

async fn supervise(
    mut child: Child,
    mut drains: JoinSet<()>,
    output: Arc<Output>,
    stopper: Stopper,
    ended: watch::Sender<Option<PluginError>>,
) {
    let status = tokio::select! {
        status = child.wait() => status.ok(),
        () = stopper.stopped() => kill(&mut child).await,
    };
    let _ = timeout(LAST_OUTPUT, async { while drains.join_next().await.is_some() {} }).await;
    drains.shutdown().await;
    let why = match (stopper.why.get(), status) {
        (Some(why), _) => why.clone(),
        (None, Some(status)) => PluginError::Died { status, last_words: output.last_words() },
        (None, None) => PluginError::Stopped,
    };
    ended.send_replace(Some(why));
    stopper.token.cancel();
}

/// The whole group, as long as its leader is ours to wait for: afterwards its number may be another's.
async fn kill(child: &mut Child) -> Option<std::process::ExitStatus> {
    let group = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    if let Some(group) = group
        && let Err(error) = kill_process_group(group, Signal::KILL)
    {
        debug!(%error, "the plugin's process group was gone already");
    }
    match timeout(DEATH, child.wait()).await {
        Ok(status) => status.ok(),
        Err(_) => {
            warn!(pid = child.id(), "a killed plugin does not end");
            None
        }
    }
}
