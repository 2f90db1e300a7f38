//! One coordinator, from its folder to its last call.

mod end;
mod registering;
mod services;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use skep_core::state::Issuers as SealedIssuers;
use skep_tls::{ALPN_CONTROL, ALPN_GRPC, Clients, ServerTls, ServerTrust, Swap, client_config};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::accounts::{Accounts, Means, Places};
use crate::agent_binaries::AgentBinaries;
use crate::agents::{Dialling, Registry};
use crate::clock::Clock;
use crate::context::{Context, Drivers, Trust};
use crate::layout::{Credential, Layout, LayoutError, Member, World};
use crate::leader::AgentSource;
use crate::liveness::{Graces, Liveness};
use crate::metrics::Metrics;
use crate::owner::{Lease, Ownership};
use crate::raft::{
    self, BeatHandler, Checkpoint, FileDisk, RaftConfig, RaftHandle, RaftParts, RaftTls, StartError,
};
use crate::renew::{Renewable, Renewal};
use crate::server::{Connections, HttpState};
use crate::trust::Issuers;
use crate::{accounts, agents, beat, leader, owner, server};
use end::EndWatch;
use registering::Registering;

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

/// Connections that were dialled and wait to be served.
const DIALLED: usize = 16;

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

/// What a coordinator is made of while it serves.
struct Node {
    options: Options,
    member: Member,
    liveness: Arc<Liveness>,
    handle: RaftHandle,
}

impl Node {
    async fn operate(
        self,
        certificates: Certificates,
        listener: TcpListener,
        shutdown: &CancellationToken,
    ) -> Result<(), RunError> {
        let Some(context) = self.context(shutdown).await? else { return Ok(()) };
        let process: u64 = uuid::Uuid::now_v7().as_u64_pair().1;
        let changes = context.drivers.subscribe();
        let registering = Registering { context: context.clone(), member: self.member.clone(), process };
        let registered = tokio::select! { registered = registering.register() => registered, () = shutdown.cancelled() => return Ok(()) };
        registered?;
        let registry = Registry::new(Arc::clone(&self.options.clock));
        let lease = Lease::new(Arc::clone(&self.options.clock), self.options.graces.owner_lease);
        let ownership = Ownership { process, lease, orphan_search: self.options.orphan_search };
        let swap = Swap::new(certificates.control.certified);
        let tls = ServerTls::new(&certificates.control.root_pem, &swap, ALPN_CONTROL)
            .clients(Clients::AnybodyAndExpired)
            .build()
            .map_err(LayoutError::from)?;
        let renewables = vec![
            Renewable { world: World::Control, key: certificates.control.key, swap },
            Renewable { world: World::Raft, key: certificates.raft.key, swap: certificates.raft_swap },
        ];
        let stop = shutdown.child_token();
        let mut loops = self.spawn_loops(&context, &registry, &ownership, renewables, &stop);
        loops.spawn(registering.clone().keep(changes, stop.clone()));
        let (connections, dialled) = mpsc::channel(DIALLED);
        let dialling = Dialling { process, patience: self.options.dial_after, connections };
        loops.spawn(agents::dial(context.clone(), dialling, stop.clone()));
        let grpc = services::routes(&context, &registry, &self.liveness, shutdown).await?;
        let metrics = Arc::new(Metrics::new(registry));
        let http = HttpState { context: context.clone(), metrics, agent: self.options.agent.clone() };
        tracing::info!(coordinator = %self.member.coordinator, cluster = %self.member.cluster, "serving");
        let served =
            server::serve(Connections { listener, dialled }, tls, grpc, http, shutdown.clone()).await;
        stop.cancel();
        while loops.join_next().await.is_some() {}
        registering.resign().await;
        Ok(served?)
    }

    /// Opens the cluster's secrets, once the log has brought them: at once after a restart, with the leader's first
    /// entries on a new coordinator. None when it is told to stop before.
    async fn context(&self, shutdown: &CancellationToken) -> Result<Option<Context>, RunError> {
        let mut changes = self.handle.subscribe_changes();
        let sealed = loop {
            if let Some(cluster) = &self.handle.state().cluster {
                break cluster.issuers.clone();
            }
            tokio::select! { _ = changes.changed() => {}, () = shutdown.cancelled() => return Ok(None) }
        };
        let trust = self.trust(&sealed)?;
        let accounts = self.accounts(&trust);
        Ok(Some(Context {
            id: self.member.coordinator,
            cluster: self.member.cluster.clone(),
            raft: self.handle.clone(),
            trust: Arc::new(trust),
            drivers: self.options.drivers.clone(),
            accounts,
        }))
    }

    fn accounts(&self, trust: &Trust) -> Accounts {
        let (log, clock) = (self.handle.clone(), self.handle.clone());
        let means = Means {
            id: self.member.coordinator,
            clock: Arc::clone(&self.options.clock),
            records: Arc::new(move |name| log.state().accounts.get(name).cloned()),
            now: Arc::new(move || (clock.state().state.clone(), clock.now())),
            sealer: trust.sealer.clone(),
            places: Places {
                state: self.options.layout.drivers(),
                agents: self.options.agent.folder.clone(),
                commands: self.options.credential_commands.clone(),
            },
            limit: self.options.graces.driver_call,
        };
        Accounts::new(self.options.drivers.clone(), means)
    }

    fn trust(&self, sealed: &SealedIssuers) -> Result<Trust, LayoutError> {
        let key = self.options.layout.cluster_key()?;
        let sealer = key.sealer(&self.member.cluster)?;
        let issuers = Issuers::open(&sealer, &self.member.cluster, sealed)?;
        Ok(Trust { key, sealer, issuers })
    }

    fn spawn_loops(
        &self,
        context: &Context,
        registry: &Arc<Registry>,
        ownership: &Ownership,
        certificates: Vec<Renewable>,
        stop: &CancellationToken,
    ) -> JoinSet<()> {
        let mut loops = JoinSet::new();
        let agent = AgentSource { sha256: self.options.agent.present };
        loops.spawn(leader::run(context.clone(), Arc::clone(&self.liveness), agent, stop.clone()));
        loops.spawn(owner::run(context.clone(), ownership.clone(), stop.clone()));
        loops.spawn(accounts::close_unneeded(context.clone(), stop.clone()));
        loops.spawn(beat::run(
            context.clone(),
            Arc::clone(registry),
            Arc::clone(&self.liveness),
            ownership.clone(),
            stop.clone(),
        ));
        loops.spawn(agents::dispatch(context.clone(), Arc::clone(registry), stop.clone()));
        let renewal = Renewal {
            id: context.id,
            trust: Arc::clone(&context.trust),
            layout: self.options.layout.clone(),
            addresses: self.member.addresses.clone(),
            clock: Arc::clone(&self.options.clock),
            certificates,
        };
        loops.spawn(renewal.run(stop.clone()));
        loops
    }
}

/// What of the log is not in the coordinator's folder.
pub(crate) struct LogOptions {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tuning: Tuning,
    pub(crate) beats: Arc<dyn BeatHandler>,
    pub(crate) checkpoint: Arc<dyn Checkpoint>,
}

/// How often the state is written out, and how long the log is kept.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// Entries between two snapshots.
    pub snapshot_every: u64,
}

/// What the log needs to start: its configuration, its parts, and the handle its certificate is swapped by.
pub(crate) fn log_of(
    layout: &Layout,
    member: &Member,
    credential: &Credential,
    listener: std::net::TcpListener,
    options: LogOptions,
) -> Result<(RaftConfig, RaftParts, Swap), LayoutError> {
    let swap = Swap::new(credential.certified.clone());
    let tls = RaftTls {
        server: ServerTls::new(&credential.root_pem, &swap, ALPN_GRPC).build()?,
        client: client_config(ServerTrust::Roots(&credential.root_pem), &swap, ALPN_GRPC)?,
    };
    let mut config = RaftConfig::new(member.coordinator, member.cluster.clone(), layout.raft());
    config.snapshot_every = options.tuning.snapshot_every;
    let parts = RaftParts {
        listener,
        tls,
        clock: options.clock,
        disk: Arc::new(FileDisk),
        beats: options.beats,
        checkpoint: options.checkpoint,
    };
    Ok((config, parts, swap))
}
