//! One coordinator, from its folder to its last call.

mod end;
mod log;
mod node;
mod registering;
mod services;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use skep_tls::Swap;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::agent_binaries::AgentBinaries;
use crate::clock::Clock;
use crate::context::Drivers;
use crate::layout::{Credential, Layout, LayoutError, Member, World};
use crate::liveness::{Graces, Liveness};
use crate::raft::{self, Checkpoint, RaftHandle, StartError};
use end::EndWatch;
pub use log::Tuning;
pub(crate) use log::{LogOptions, log_of};
use node::Node;

/// Everything a test must be able to replace is in here.
#[derive(Debug)]
pub struct Options {
    pub layout: Layout,
    pub drivers: Drivers,
    /// The folder of programs that may print credentials; None to run none.
    pub credential_commands: Option<PathBuf>,
    pub agent: AgentBinaries,
    pub clock: Arc<dyn Clock>,
    pub graces: Graces,
    pub orphan_search: Duration,
    /// How long an agent is given to dial in before it is dialled.
    pub dial_after: Duration,
    pub raft: Tuning,
    /// `Unwatched`, but for tests that stop a coordinator between two entries.
    pub checkpoint: Arc<dyn Checkpoint>,
}

/// The sockets, bound before anything is said about them.
#[derive(Debug)]
pub struct Listeners {
    pub control: TcpListener,
    /// Handed over to the log's own runtime.
    pub raft: std::net::TcpListener,
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error("the log could not be opened")]
    Start(#[from] StartError),
    #[error("the log has failed: {0}")]
    Log(String),
    #[error("this coordinator was removed from its cluster: {0}")]
    Removed(String),
    #[error("the control port failed")]
    Serve(#[from] tonic::transport::Error),
    #[error("the control port's services could not be made")]
    Services(#[from] tonic_reflection::server::Error),
}

/// Runs until `shutdown`, then hands leadership over, lets calls finish and closes the log.
pub async fn run(
    options: Options,
    listeners: Listeners,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    Coordinator::open(options, listeners.raft).await?.serve(listeners.control, shutdown).await
}

/// A coordinator whose log is open: it votes and learns, and serves nobody yet.
#[derive(Debug)]
pub struct Coordinator {
    options: Options,
    member: Member,
    liveness: Arc<Liveness>,
    handle: RaftHandle,
    certificates: Certificates,
}

#[derive(Debug)]
struct Certificates {
    control: Credential,
    raft: Credential,
    raft_swap: Swap,
}

impl Coordinator {
    pub async fn open(options: Options, listener: std::net::TcpListener) -> Result<Self, RunError> {
        let member = options.layout.member()?;
        let control = options.layout.credential(World::Control)?;
        let raft = options.layout.credential(World::Raft)?;
        let liveness = Arc::new(Liveness::new(Arc::clone(&options.clock), options.graces));
        let log = LogOptions {
            clock: Arc::clone(&options.clock),
            tuning: options.raft,
            beats: Arc::clone(&liveness) as _,
            checkpoint: Arc::clone(&options.checkpoint),
        };
        let (config, parts, raft_swap) = log_of(&options.layout, &member, &raft, listener, log)?;
        let handle = raft::start(config, parts).await?;
        let certificates = Certificates { control, raft, raft_swap };
        Ok(Self { options, member, liveness, handle, certificates })
    }

    /// Its log: what it says of itself, and the way to stop it without its consent.
    pub fn log(&self) -> &RaftHandle {
        &self.handle
    }

    /// Until `shutdown`; then leadership is handed over and the log closed.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) -> Result<(), RunError> {
        let Self { options, member, liveness, handle, certificates } = self;
        let id = member.coordinator;
        let node = Node { options, member, liveness, handle: handle.clone() };
        let stop = shutdown.child_token();
        let watch = EndWatch::start(&handle, id, &stop);
        let ended = node.operate(certificates, listener, &stop).await;
        stop.cancel();
        let ended = watch.cause().await.map_or(ended, Err);
        if let Err(error) = handle.transfer_leadership(None).await {
            tracing::debug!(%error, "leadership was not handed over");
        }
        handle.shutdown().await;
        ended
    }
}
