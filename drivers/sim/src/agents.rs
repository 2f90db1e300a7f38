//! A real agent session in every running instance.
//!
//! An instance's disk is its agent's records; its engine is simulated and shares one network of swarms with the
//! others. The agent dials from the instance's own loopback address, so that it can be told by its address.

mod facts;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use skep_agent::{AgentError, Deps, Ended, MemoryStore, Settings, Timing};
use skep_types::{AgentConfig, ProviderId};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, info, info_span, warn};

use crate::software::{Halt, Machine, Software};
use crate::swarms::SimSwarms;
use facts::SimFacts;

/// As long as a coordinator gives a handshake.
const CONNECT: Duration = Duration::from_secs(5);
/// As long as a coordinator looks for a leader.
const CALL: Duration = Duration::from_secs(10);
const REFUSED: Duration = Duration::from_secs(1);

/// The agents of a world. Give it to [`crate::SimWorld::new`].
#[derive(Debug)]
pub struct Agents {
    timing: Timing,
    runtime: Handle,
    swarms: Arc<SimSwarms>,
    tasks: TaskTracker,
    /// Ends every agent.
    shutdown: CancellationToken,
    instances: Mutex<HashMap<ProviderId, Instance>>,
}

#[derive(Debug, Default)]
struct Instance {
    /// Survives its agents.
    disk: MemoryStore,
    running: Option<Running>,
    /// The agent before, which may still be ending.
    ending: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Agents {
    /// Must be called within a tokio runtime, on which the agents live. The TLS provider is installed already.
    pub fn new(timing: Timing) -> Arc<Self> {
        Arc::new(Self {
            timing,
            runtime: Handle::current(),
            swarms: Arc::default(),
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            instances: Mutex::default(),
        })
    }

    /// An agent's own, but that a refusal is not final for a minute: simulated instances boot before the coordinator
    /// has heard of them. And a thousand agents have one machine between them: those that give up because it is busy,
    /// and dial again, make it busier.
    pub fn timing() -> Timing {
        let mut timing = Timing { connect: CONNECT, call: CALL, ..Timing::default() };
        timing.backoff.refused = REFUSED;
        timing
    }

    pub fn swarms(&self) -> &Arc<SimSwarms> {
        &self.swarms
    }

    /// Agents that run now.
    pub fn running(&self) -> usize {
        self.tasks.len()
    }

    /// Ends all agents in order, and waits until they have.
    pub async fn end(&self) {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ProviderId, Instance>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts an agent as soon as the one before it, which shares its disk, has ended.
    fn spawn(&self, machine: Machine, config: AgentConfig, instance: &mut Instance) {
        let engine = self.swarms.start(&machine.id, &machine.name);
        let deps = Deps {
            store: Arc::new(instance.disk.clone()),
            engine: Arc::new(engine),
            facts: Arc::new(SimFacts::new(&machine)),
            resolve: None,
            called: None,
        };
        let settings = Settings {
            config,
            timing: self.timing,
            local_address: Some(IpAddr::V4(machine.address)),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let stop = self.shutdown.child_token();
        let span = info_span!("agent", instance = %machine.id, name = machine.name);
        let agent = skep_agent::run(settings, deps, stop.clone());
        let before = instance.ending.take();
        let task = async move {
            if let Some(before) = before {
                // An aborted agent has ended too.
                let _ = before.await;
            }
            report(agent.await);
        };
        let task = self.tasks.spawn_on(Box::pin(task.instrument(span)), &self.runtime);
        instance.running = Some(Running { stop, task });
    }
}

fn report(ended: Result<Ended, AgentError>) {
    match ended {
        Ok(Ended::Shutdown) => {}
        Ok(Ended::Dismissed { reason }) => info!(reason, "agent dismissed"),
        Err(error) => warn!(%error, "agent cannot run"),
    }
}

impl Software for Agents {
    fn boot(&self, machine: Machine) {
        // The text stays out of the log: it holds the enrolment token.
        let config = match toml::from_str::<AgentConfig>(machine.agent_config.reveal()) {
            Ok(config) => config,
            Err(error) => {
                warn!(instance = %machine.id, error = error.message(), "agent configuration is not usable");
                return;
            }
        };
        if self.shutdown.is_cancelled() {
            return;
        }
        let mut instances = self.lock();
        let instance = instances.entry(machine.id.clone()).or_default();
        self.spawn(machine, config, instance);
    }

    fn halt(&self, id: &ProviderId, how: Halt) {
        self.swarms.stop(id);
        let mut instances = self.lock();
        let Some(instance) = instances.get_mut(id) else { return };
        let Some(running) = instance.running.take() else { return };
        match how {
            Halt::Orderly => running.stop.cancel(),
            Halt::Cut => running.task.abort(),
        }
        instance.ending = Some(running.task);
    }

    fn erase(&self, id: &ProviderId) {
        self.swarms.erase(id);
        self.lock().remove(id);
    }
}
