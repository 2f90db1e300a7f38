//! The agent against a coordinator and an engine of the tests' own, over real TLS on the loopback.

#![allow(
    clippy::unwrap_used,
    reason = "every line of this crate is a test's; clippy exempts only #[test] functions"
)]

mod authority;
mod called;
mod coordinator;
mod engine;
mod proxy;
mod sessions;
mod trust;
mod work;

use std::sync::Arc;
use std::time::Duration;

use skep_agent::{
    AgentError, Backoff, Called, Deps, Ended, MemoryStore, ProcFacts, Settings, Store, Timing, run,
};
use skep_types::{AgentConfig, EnrolmentConfig, Secret};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use coordinator::Cluster;
use engine::FakeEngine;

/// Nothing here takes a tenth of it; a test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// An agent with the parts it was given. Dropped, it ends as a crash would end it.
struct Agent {
    engine: Arc<FakeEngine>,
    store: MemoryStore,
    shutdown: CancellationToken,
    task: JoinHandle<Result<Ended, AgentError>>,
}

impl Agent {
    fn start(cluster: &Cluster) -> Self {
        Self::start_on(cluster, Arc::new(FakeEngine::default()), MemoryStore::default())
    }

    fn start_on(cluster: &Cluster, engine: Arc<FakeEngine>, store: MemoryStore) -> Self {
        Self::start_with(config(cluster), engine, store)
    }

    fn start_with(config: AgentConfig, engine: Arc<FakeEngine>, store: MemoryStore) -> Self {
        Self::start_parts(config, engine, store, None)
    }

    fn start_parts(
        config: AgentConfig,
        engine: Arc<FakeEngine>,
        store: MemoryStore,
        called: Option<Called>,
    ) -> Self {
        let settings = Settings { config, timing: timing(), local_address: None, version: "test".to_owned() };
        let kept: Arc<dyn Store> = Arc::new(store.clone());
        let deps = Deps {
            store: kept,
            engine: engine.clone(),
            facts: Arc::new(ProcFacts::new()),
            resolve: None,
            called,
        };
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(run(settings, deps, shutdown.clone()));
        Self { engine, store, shutdown, task }
    }

    async fn ended(mut self) -> Ended {
        timeout(PATIENCE, &mut self.task).await.unwrap().unwrap().unwrap()
    }

    /// What is left is what a killed process leaves.
    async fn crash(mut self) -> (Arc<FakeEngine>, MemoryStore) {
        self.task.abort();
        assert!((&mut self.task).await.unwrap_err().is_cancelled());
        (self.engine.clone(), self.store.clone())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn config(cluster: &Cluster) -> AgentConfig {
    AgentConfig {
        cluster: "test".to_owned(),
        coordinators: cluster.addresses(),
        ca: cluster.control.root_pem(),
        data_dir: AgentConfig::default_data_dir(),
        docker_socket: AgentConfig::default_docker_socket(),
        docker_port: AgentConfig::default_docker_port(),
        enrolment: EnrolmentConfig { subject: "h1-1".to_owned(), token: Secret::new(coordinator::TOKEN) },
    }
}

/// As in production, but that a refused agent does not wait a minute.
fn timing() -> Timing {
    let refused = Duration::from_millis(50);
    Timing { backoff: Backoff { refused, ..Backoff::default() }, ..Timing::default() }
}
