//! Starts a cluster, and crashes, stops and restarts its coordinators.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use skep_coordinator::raft::{Published, RaftHandle};
use skep_coordinator::run::RunError;
use skep_coordinator::trust::{Issuers, Sealer};
use skep_coordinator::{found, join};
use skep_driver::{Driver, Kind, Shared};
use skep_proto::v1 as pb;
use skep_sim::SimConfig;
use skep_types::Secret;
use tempfile::TempDir;
use tokio::time::timeout;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::clients::{Operator, mutation};
use super::clock::ForwardClock;
use super::coordinator::{Outfit, Ports, Running, Site};
use super::stops::Stops;
use super::world::World;

/// Longer than anything waited for takes on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(10);

/// What a cluster is made of.
#[derive(Debug, Clone)]
pub struct Setup {
    pub coordinators: u64,
    pub world: SimConfig,
    /// Entries between two snapshots.
    pub snapshot_every: u64,
    pub orphan_search: Duration,
    /// What stands between the coordinators and the world, beside the places to stop at.
    pub wrap: fn(Arc<dyn Driver>) -> Arc<dyn Driver>,
    /// What opens it for an account.
    pub kind: fn(Arc<dyn Driver>) -> Arc<dyn Kind>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            coordinators: 3,
            world: SimConfig::default(),
            snapshot_every: 10_000,
            // Never within a test: what it would mend must not be there in the first place.
            orphan_search: Duration::from_secs(3600),
            wrap: |driver| driver,
            kind: |driver| Arc::new(Shared(driver)),
        }
    }
}

/// Coordinators are named by their ids, from 1.
#[derive(Debug)]
pub struct InProcess {
    setup: Setup,
    sites: Vec<Site>,
    running: Mutex<BTreeMap<u64, Running>>,
    pub stops: Arc<Stops>,
    pub world: World,
    /// Of all coordinators.
    pub clock: ForwardClock,
    folder: TempDir,
}

impl InProcess {
    /// All coordinators vote when this returns, and the simulator's account has an owner.
    pub async fn start(setup: Setup) -> anyhow::Result<Self> {
        log_if_asked();
        let mut cluster = Self {
            world: World::new(setup.world.clone())?,
            sites: Vec::new(),
            running: Mutex::default(),
            stops: Arc::default(),
            clock: ForwardClock::default(),
            folder: tempfile::tempdir()?,
            setup,
        };
        cluster.found().await?;
        for _ in 1..cluster.setup.coordinators {
            cluster.join_one_more().await?;
        }
        cluster
            .until("the account has an owner", |state| {
                state.accounts.values().any(|account| account.owner(0).is_some())
            })
            .await?;
        Ok(cluster)
    }

    async fn found(&mut self) -> anyhow::Result<()> {
        let (site, ports) = Site::new(1, self.folder.path().join("c1"))?;
        let options = found::Options {
            layout: site.layout.clone(),
            addresses: site.addresses(),
            admin: "admin".parse()?,
            operator_config: self.folder.path().join("operator.toml"),
        };
        Box::pin(found::found(options)).await?;
        self.enter(site, ports).await
    }

    /// A new coordinator, by a token of its own. Votes when this returns.
    pub async fn join_one_more(&mut self) -> anyhow::Result<u64> {
        let token = self.join_token(&format!("token-{}", self.sites.len())).await?;
        let (site, ports) = self.site()?;
        let id = site.id;
        join::join(self.join_options(&site, token)).await?;
        self.enter(site, ports).await?;
        self.until_votes(id).await?;
        Ok(id)
    }

    /// Tries to make a coordinator, and leaves it at that.
    pub async fn try_to_join(&self, token: Secret) -> anyhow::Result<Result<(), join::JoinError>> {
        let id = self.sites.len() as u64 + 1;
        let (site, _ports) = Site::new(id, tempfile::tempdir_in(self.folder.path())?.keep())?;
        Ok(join::join(self.join_options(&site, token)).await.map(drop))
    }

    fn site(&self) -> anyhow::Result<(Site, Ports)> {
        let id = self.sites.len() as u64 + 1;
        Site::new(id, self.folder.path().join(format!("c{id}")))
    }

    fn join_options(&self, site: &Site, token: Secret) -> join::Options {
        let peer = self.sites[0].control.to_string();
        join::Options { layout: site.layout.clone(), addresses: site.addresses(), token, peer }
    }

    pub async fn join_token(&self, request_id: &str) -> anyhow::Result<Secret> {
        let request = pb::CreateJoinTokenRequest { mutation: mutation(request_id), life_ms: 0 };
        let reply = self
            .operator()?
            .ask(async |c| c.cluster.clone().create_join_token(request.clone()).await)
            .await?;
        Ok(Secret::new(reply.token))
    }

    async fn enter(&mut self, site: Site, ports: Ports) -> anyhow::Result<()> {
        let running = site.start(ports, self.outfit(site.id)).await?;
        self.lock().insert(site.id, running);
        self.sites.push(site);
        Ok(())
    }

    fn outfit(&self, id: u64) -> Outfit {
        Outfit {
            kind: (self.setup.kind)(self.stops.around_calls(id, (self.setup.wrap)(self.world.driver()))),
            checkpoint: self.stops.around_entries(id),
            snapshot_every: self.setup.snapshot_every,
            orphan_search: self.setup.orphan_search,
            clock: self.clock.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It ends where it stands. Nothing happens to one that does not run.
    pub async fn crash(&self, id: u64) {
        let running = self.lock().remove(&id);
        if let Some(running) = running {
            running.crash().await;
        }
    }

    /// It ends in order.
    pub async fn stop(&self, id: u64) -> anyhow::Result<()> {
        let running = self.lock().remove(&id);
        running.context("it does not run")?.stop().await
    }

    /// Waits until it ends although nobody told it to, and says why.
    pub async fn ends(&self, id: u64) -> anyhow::Result<RunError> {
        let running = self.lock().remove(&id);
        timeout(PATIENCE, running.context("it does not run")?.ends()).await.context("it goes on")?
    }

    /// Starts it on what is in its folder, at the addresses it had. Nothing happens to one that runs.
    pub async fn restart(&self, id: u64) -> anyhow::Result<()> {
        if self.lock().contains_key(&id) {
            return Ok(());
        }
        let site = self.sites.iter().find(|site| site.id == id).context("no such coordinator")?;
        let running = site.start(site.bind_again().await?, self.outfit(id)).await?;
        self.lock().insert(id, running);
        Ok(())
    }

    /// The state as that coordinator has it.
    pub fn state_of(&self, id: u64) -> anyhow::Result<Arc<Published>> {
        Ok(self.log(id).context("it does not run")?.state())
    }

    /// What only a coordinator has: for certificates that nobody would get by asking.
    pub fn issuers(&self) -> anyhow::Result<Issuers> {
        let state = self.newest().context("nobody runs")?;
        let cluster = state.cluster.as_ref().context("no cluster is founded")?;
        Ok(Issuers::open(&self.sealer()?, &cluster.id, &cluster.issuers)?)
    }

    /// The same for secrets that stand sealed in the log.
    pub fn sealer(&self) -> anyhow::Result<Sealer> {
        let state = self.newest().context("nobody runs")?;
        let cluster = state.cluster.as_ref().context("no cluster is founded")?;
        Ok(self.sites[0].layout.cluster_key()?.sealer(&cluster.id)?)
    }

    pub fn ids(&self) -> Vec<u64> {
        self.sites.iter().map(|site| site.id).collect()
    }

    pub fn running(&self) -> Vec<u64> {
        self.lock().keys().copied().collect()
    }

    /// The log of one that runs.
    pub fn log(&self, id: u64) -> Option<RaftHandle> {
        self.lock().get(&id).map(|running| running.log.clone())
    }

    /// The admin that `found` made.
    pub fn operator(&self) -> anyhow::Result<Operator> {
        let addresses = self.sites.iter().map(|site| site.control.to_string()).collect();
        Operator::load(&self.folder.path().join("operator.toml"), addresses)
    }

    /// One that says it leads.
    pub fn leader_now(&self) -> Option<u64> {
        let leading = |running: &Running| running.log.leadership().borrow().leading;
        self.lock().iter().find(|(_, running)| leading(running)).map(|(id, _)| *id)
    }

    pub async fn leader(&self) -> anyhow::Result<u64> {
        eventually("a leader", || self.leader_now()).await
    }

    /// The coordinator that acts for the simulator's account.
    pub fn owner_now(&self) -> Option<u64> {
        let state = self.newest()?;
        state.accounts.values().next()?.owner(0).map(|owner| owner.coordinator.0)
    }

    /// The state of whichever running coordinator is furthest.
    pub fn newest(&self) -> Option<Arc<Published>> {
        self.lock().values().map(|running| running.log.state()).max_by_key(|state| state.applied_index)
    }

    /// Waits until some coordinator's state is as wanted, and gives it.
    pub async fn until(
        &self,
        what: &str,
        reached: impl Fn(&Published) -> bool,
    ) -> anyhow::Result<Arc<Published>> {
        eventually(what, || self.newest().filter(|state| reached(state))).await
    }

    async fn until_votes(&self, id: u64) -> anyhow::Result<()> {
        let votes = || {
            let members = self.log(id)?.status().members;
            members.iter().any(|member| member.id.0 == id && member.voter).then_some(())
        };
        eventually("the new coordinator votes", votes).await
    }

    /// The states of all running coordinators, once each has everything that was acknowledged before this was called.
    pub async fn settled(&self) -> anyhow::Result<Vec<Arc<Published>>> {
        let logs: Vec<RaftHandle> = self.lock().values().map(|running| running.log.clone()).collect();
        let reading = async {
            let mut states = Vec::new();
            for log in logs {
                // Elections are under way when this is asked after a crash.
                let state = loop {
                    if let Ok(state) = log.read().await {
                        break state;
                    }
                };
                states.push(state);
            }
            states
        };
        timeout(PATIENCE, reading).await.context("the coordinators do not settle")
    }
}

/// As RUST_LOG says; without it nothing, as what crashes all the time complains all the time.
fn log_if_asked() {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::OFF.into()).from_env_lossy();
    // An Err says that another cluster of this process has done it.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
}

/// Looks again until there is something, within a bound.
pub async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
    let looking = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    timeout(PATIENCE, looking).await.with_context(|| format!("waited in vain: {what}"))
}
