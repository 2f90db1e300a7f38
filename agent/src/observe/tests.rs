//! When an engine counts as ready.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;

use super::*;
use crate::engine::{EngineErrorKind, Join, NodeChange, Swarm};

/// An engine that is well or not, behind a front door that is open or not. Never asked to act.
#[derive(Debug, Default)]
struct House {
    well: AtomicBool,
    open: AtomicBool,
    knocks: AtomicUsize,
}

fn refused<T>(message: &str) -> Result<T, EngineError> {
    Err(EngineError::new(EngineErrorKind::Refused, message))
}

#[async_trait]
impl Engine for House {
    async fn look(&self) -> Result<EngineView, EngineError> {
        if self.well.load(Ordering::Relaxed) { Ok(EngineView::default()) } else { refused("no engine") }
    }

    async fn door(&self) -> Result<(), EngineError> {
        self.knocks.fetch_add(1, Ordering::Relaxed);
        if self.open.load(Ordering::Relaxed) { Ok(()) } else { refused("no front door") }
    }

    async fn nodes(&self) -> Result<Vec<Node>, EngineError> {
        refused("not asked")
    }

    async fn swarm(&self) -> Result<Swarm, EngineError> {
        refused("not asked")
    }

    async fn init(&self, _: IpAddr) -> Result<(), EngineError> {
        refused("not asked")
    }

    async fn join(&self, _: &Join) -> Result<(), EngineError> {
        refused("not asked")
    }

    async fn leave(&self, _: bool) -> Result<(), EngineError> {
        refused("not asked")
    }

    async fn update_node(&self, _: &NodeChange) -> Result<(), EngineError> {
        refused("not asked")
    }

    async fn remove_node(&self, _: &str, _: bool) -> Result<(), EngineError> {
        refused("not asked")
    }
}

#[derive(Debug)]
struct Machine;

impl Facts for Machine {
    fn boot_id(&self) -> String {
        "boot".to_owned()
    }

    fn resources(&self) -> Resources {
        Resources::default()
    }

    fn uptime(&self) -> Duration {
        Duration::ZERO
    }

    fn wall_time(&self) -> Duration {
        Duration::ZERO
    }
}

struct Watched {
    house: Arc<House>,
    observer: Observer,
}

impl Watched {
    fn new() -> Self {
        let house = Arc::<House>::default();
        let observer = Observer {
            engine: Arc::clone(&house) as Arc<dyn Engine>,
            facts: Arc::new(Machine),
            reports: watch::Sender::default(),
            acted: Arc::default(),
            every: Duration::from_secs(1),
            at_least: Duration::from_secs(1),
            door_seen: false,
        };
        Self { house, observer }
    }

    /// What a look tells of a house in this state: nothing when it is ready, else why it is not.
    async fn told(&mut self, well: bool, open: bool) -> Option<String> {
        self.house.well.store(well, Ordering::Relaxed);
        self.house.open.store(open, Ordering::Relaxed);
        match self.observer.look().await.engine {
            EngineStatus::Ready { .. } => None,
            EngineStatus::NotReady { message } => Some(message),
        }
    }
}

#[tokio::test]
async fn an_engine_is_ready_once_people_reach_it() {
    let mut watched = Watched::new();
    let engine = watched.told(false, true).await.unwrap();
    assert!(engine.contains("no engine"), "{engine}");
    assert_eq!(watched.house.knocks.load(Ordering::Relaxed), 0, "a door without an engine leads nowhere");
    let door = watched.told(true, false).await.unwrap();
    assert!(door.contains("no front door"), "{door}");
    assert_eq!(watched.told(true, true).await, None);
}

#[tokio::test]
async fn a_door_that_was_open_once_is_not_asked_again() {
    let mut watched = Watched::new();
    assert_eq!(watched.told(true, true).await, None);
    // It starts anew by itself: a host must not be called unready, and its swarm be bothered, for that second.
    assert_eq!(watched.told(true, false).await, None);
    assert!(watched.told(false, false).await.is_some(), "the engine itself is asked each time");
    assert_eq!(watched.told(true, false).await, None);
    assert_eq!(watched.house.knocks.load(Ordering::Relaxed), 1);
}
