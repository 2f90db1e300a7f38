//! The simulated provider that all coordinators of a cluster share, and the agents in its instances.

use std::sync::Arc;
use std::time::Duration;

use skep_agent::Timing;
use skep_sim::{Agents, ConfigError, SimConfig, SimDriver, SimWorld};
use tokio::runtime::{Builder, Runtime};

/// Agents look for another coordinator at most this long after a failure: tests crash coordinators all the time.
const AGENT_PAUSE_MAX: Duration = Duration::from_millis(300);

/// Lives on a runtime of its own: no coordinator's crash touches it.
#[derive(Debug)]
pub struct World {
    pub sim: Arc<SimWorld>,
    pub agents: Arc<Agents>,
    runtime: Option<Runtime>,
}

impl World {
    pub fn new(config: SimConfig) -> Result<Self, WorldError> {
        skep_tls::install_provider();
        let runtime =
            Builder::new_multi_thread().worker_threads(2).thread_name("world").enable_all().build()?;
        let (agents, sim) = {
            let _inside = runtime.enter();
            let agents = Agents::new(timing());
            let sim = SimWorld::new(config, agents.clone())?;
            (agents, sim)
        };
        Ok(Self { sim, agents, runtime: Some(runtime) })
    }

    /// One coordinator's way to the world.
    pub fn driver(&self) -> Arc<SimDriver> {
        Arc::new(SimDriver::new(Arc::clone(&self.sim)))
    }
}

fn timing() -> Timing {
    let mut timing = Agents::timing();
    timing.backoff.longest = AGENT_PAUSE_MAX;
    timing.backoff.refused = AGENT_PAUSE_MAX;
    timing
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A runtime must not be waited for inside another one.
            runtime.shutdown_background();
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[error("the world's runtime cannot be made")]
    Runtime(#[from] std::io::Error),
    #[error(transparent)]
    Config(#[from] ConfigError),
}
