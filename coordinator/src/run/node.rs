//! What runs while a coordinator serves: its loops, and the control port.

use std::sync::Arc;

use skep_core::state::Issuers as SealedIssuers;
use skep_tls::{ALPN_CONTROL, Clients, ServerTls, Swap};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::registering::Registering;
use super::{Certificates, Options, RunError, services};
use crate::accounts::{Accounts, Means, Places};
use crate::agents::{Dialling, Registry};
use crate::context::{Context, Trust};
use crate::layout::{LayoutError, Member, World};
use crate::leader::AgentSource;
use crate::liveness::Liveness;
use crate::metrics::Metrics;
use crate::owner::{Lease, Ownership};
use crate::raft::RaftHandle;
use crate::renew::{Renewable, Renewal};
use crate::server::{Connections, HttpState};
use crate::trust::Issuers;
use crate::{accounts, agents, beat, leader, owner, server};

/// Connections that were dialled and wait to be served.
const DIALLED: usize = 16;

/// What a coordinator is made of while it serves.
pub(super) struct Node {
    pub(super) options: Options,
    pub(super) member: Member,
    pub(super) liveness: Arc<Liveness>,
    pub(super) handle: RaftHandle,
}

impl Node {
    /// Registers, and serves until `shutdown`.
    pub(super) async fn operate(
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
        loops.spawn(accounts::keep_up(context.clone(), stop.clone()));
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
