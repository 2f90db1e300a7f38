//! One coordinator of a cluster in this process: its folder and ports stay, what runs comes and goes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use skep_coordinator::agent_binaries::AgentBinaries;
use skep_coordinator::context::Drivers;
use skep_coordinator::layout::{Addresses, Layout};
use skep_coordinator::liveness::Graces;
use skep_coordinator::raft::{Checkpoint, RaftHandle};
use skep_coordinator::run::{Coordinator, Options, RunError, Tuning};
use skep_driver::Kind;
use skep_types::{Digest, limits};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::clock::ForwardClock;

/// Short, so that an account moves within two seconds; long enough for a busy machine to beat in.
const OWNER_LEASE: Duration = Duration::from_millis(600);
const DRIVER_CALL: Duration = Duration::from_millis(500);
/// Four heartbeats, as in production.
const AGENT_GRACE: Duration = Duration::from_secs(12);
/// Connections of a coordinator that was crashed may hold its port for a moment.
const PORT_FREE: Duration = Duration::from_secs(10);

/// What stays when it is crashed.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) id: u64,
    pub(super) layout: Layout,
    pub(super) control: SocketAddr,
    raft: SocketAddr,
}

/// Its two ports, bound.
#[derive(Debug)]
pub(super) struct Ports {
    control: std::net::TcpListener,
    raft: std::net::TcpListener,
}

/// What a coordinator is given at each start.
#[derive(Debug)]
pub(super) struct Outfit {
    pub(super) kind: Arc<dyn Kind>,
    pub(super) checkpoint: Arc<dyn Checkpoint>,
    pub(super) snapshot_every: u64,
    pub(super) orphan_search: Duration,
    pub(super) clock: ForwardClock,
}

#[derive(Debug)]
pub(super) struct Running {
    pub(super) log: RaftHandle,
    shutdown: CancellationToken,
    served: JoinHandle<Result<(), RunError>>,
    runtime: Option<Runtime>,
}

impl Site {
    /// A place for one more, with ports nobody else has.
    pub(super) fn new(id: u64, folder: PathBuf) -> anyhow::Result<(Self, Ports)> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let ports =
            Ports { control: std::net::TcpListener::bind(any)?, raft: std::net::TcpListener::bind(any)? };
        let (control, raft) = (ports.control.local_addr()?, ports.raft.local_addr()?);
        Ok((Self { id, layout: Layout::new(&folder, None), control, raft }, ports))
    }

    pub(super) fn addresses(&self) -> Addresses {
        Addresses {
            listen: self.control.to_string(),
            advertise: self.control.to_string(),
            raft_listen: self.raft.to_string(),
            raft_advertise: self.raft.to_string(),
        }
    }

    /// The ports it had.
    pub(super) async fn bind_again(&self) -> anyhow::Result<Ports> {
        Ok(Ports { control: bound(self.control).await?, raft: bound(self.raft).await? })
    }

    pub(super) async fn start(&self, ports: Ports, outfit: Outfit) -> anyhow::Result<Running> {
        let name = format!("c{}", self.id);
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name(name).enable_all().build()?;
        let options = self.options(outfit);
        let opening = runtime.spawn(async move { Box::pin(Coordinator::open(options, ports.raft)).await });
        let coordinator = opening.await?.context("the coordinator does not open")?;
        let log = coordinator.log().clone();
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let served = runtime.spawn(Box::pin(async move {
            let listener = listener(ports.control)?;
            coordinator.serve(listener, stop).await
        }));
        Ok(Running { log, shutdown, served, runtime: Some(runtime) })
    }

    fn options(&self, outfit: Outfit) -> Options {
        Options {
            layout: self.layout.clone(),
            drivers: Drivers::new([outfit.kind]),
            credential_commands: None,
            // Simulated instances run their agents in this process and fetch none.
            agent: AgentBinaries { folder: "/nonexistent".into(), present: Digest([0; 32]) },
            clock: Arc::new(outfit.clock),
            graces: Graces { agent: AGENT_GRACE, owner_lease: OWNER_LEASE, driver_call: DRIVER_CALL },
            orphan_search: outfit.orphan_search,
            dial_after: limits::DIALS_IN,
            raft: Tuning { snapshot_every: outfit.snapshot_every },
            checkpoint: outfit.checkpoint,
        }
    }
}

impl Running {
    /// Everything of it ends where it stands: nothing is handed over, nobody is told.
    pub(super) async fn crash(mut self) {
        self.end_runtime();
        self.log.kill().await;
    }

    /// By itself.
    pub(super) async fn ends(mut self) -> anyhow::Result<RunError> {
        let served = (&mut self.served).await?;
        self.end_runtime();
        served.err().context("it ended in order")
    }

    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        let served = (&mut self.served).await?;
        self.end_runtime();
        Ok(served?)
    }

    fn end_runtime(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A runtime must not be waited for inside another one.
            runtime.shutdown_background();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end_runtime();
    }
}

fn listener(control: std::net::TcpListener) -> Result<tokio::net::TcpListener, RunError> {
    let listener = control.set_nonblocking(true).and_then(|()| tokio::net::TcpListener::from_std(control));
    listener.map_err(|source| {
        RunError::Layout(skep_coordinator::layout::LayoutError::Io {
            path: "the control port".into(),
            source,
        })
    })
}

async fn bound(address: SocketAddr) -> anyhow::Result<std::net::TcpListener> {
    let free = async {
        loop {
            match std::net::TcpListener::bind(address) {
                Ok(listener) => return listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(PORT_FREE, free).await.with_context(|| format!("{address} does not become free"))
}
