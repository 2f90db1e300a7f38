//! An agent, whole: everything that a test or a simulator must replace is a parameter.

use std::net::IpAddr;
use std::sync::Arc;

use skep_tls::Resolve;
use skep_types::AgentConfig;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::error::AgentError;
use crate::facts::Facts;
use crate::identity::Identity;
use crate::ledger::Ledger;
use crate::observe::Observer;
use crate::roster::Roster;
use crate::session::{Called, Dialer, Sessions};
use crate::store::Store;
use crate::timing::Timing;
use crate::worker::Worker;

/// What this agent is told once.
#[derive(Debug, Clone)]
pub struct Settings {
    pub config: AgentConfig,
    pub timing: Timing,
    /// The address to dial from; the system chooses where there is none.
    pub local_address: Option<IpAddr>,
    /// Told to coordinators.
    pub version: String,
}

/// What this agent acts through. Clones share it.
#[derive(Clone)]
pub struct Deps {
    pub store: Arc<dyn Store>,
    pub engine: Arc<dyn Engine>,
    pub facts: Arc<dyn Facts>,
    /// How names are found; the system's way where there is none.
    pub resolve: Option<Resolve>,
    /// Where coordinators' connections are handed over; None where they never dial.
    pub called: Option<Called>,
}

impl std::fmt::Debug for Deps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deps")
            .field("store", &self.store)
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

/// Why an agent ended without an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    Shutdown,
    /// A coordinator said that this host is no more.
    Dismissed {
        reason: String,
    },
}

/// Runs one agent until `shutdown` or its dismissal.
///
/// One future, which spawns nothing of its own (a connection's two tasks are the transport's), so that thousands run
/// beside each other. Dropped at any moment it leaves what a crash would leave, and the ledger copes with that.
pub async fn run(settings: Settings, deps: Deps, shutdown: CancellationToken) -> Result<Ended, AgentError> {
    let agent = Box::pin(assemble(settings, deps)).await?;
    let (sessions, worker, observer) = (agent.sessions, agent.worker, agent.observer);
    // Boxed: each keeps the state of its deepest call, which a simulator would otherwise move about.
    let sessions = Box::pin(sessions.run());
    let worker = Box::pin(worker.run());
    let observer = Box::pin(observer.run());
    tokio::select! {
        () = shutdown.cancelled() => Ok(Ended::Shutdown),
        reason = sessions => Ok(Ended::Dismissed { reason }),
        // Ends when the sessions do.
        () = worker => Ok(Ended::Shutdown),
        never = observer => match never {},
    }
}

struct Agent {
    sessions: Sessions,
    worker: Worker,
    observer: Observer,
}

async fn assemble(settings: Settings, deps: Deps) -> Result<Agent, AgentError> {
    let Settings { config, timing, local_address, version } = settings;
    let Deps { store, engine, facts, resolve, called } = deps;
    let ledger = Arc::new(Ledger::open(store.clone()).await?);
    let acted = Arc::new(Notify::new());
    let (orders, ordered) = watch::channel(None);
    let (told, outcomes) = watch::channel(None);
    let (seen, reports) = watch::channel(None);
    let sessions = Sessions {
        version,
        enrolment: config.enrolment,
        timing,
        dialer: Dialer::new(&config.ca, resolve, local_address, timing)?,
        called,
        roster: Roster::open(store.clone(), &config.coordinators).await?,
        identity: Identity::open(store, facts.clone()).await?,
        ledger: ledger.clone(),
        facts: facts.clone(),
        orders,
        outcomes,
        reports,
    };
    let worker =
        Worker { engine: engine.clone(), ledger, orders: ordered, outcomes: told, acted: acted.clone() };
    let observer = Observer {
        engine,
        facts,
        reports: seen,
        acted,
        every: timing.look_every,
        at_least: timing.look_at_least,
        door_seen: false,
    };
    Ok(Agent { sessions, worker, observer })
}
