//! An engine whose swarm is a word. Its acts can be held, lost and counted.

use std::net::IpAddr;
use std::sync::Mutex;

use async_trait::async_trait;
use skep_agent::{
    Engine, EngineError, EngineErrorKind, EngineView, Join, LocalNode, LocalState, Node, NodeChange, Swarm,
};
use skep_types::Secret;
use tokio::sync::{Semaphore, watch};

#[derive(Debug)]
pub(crate) struct FakeEngine {
    node: Mutex<LocalNode>,
    /// Every act that began, in order.
    acts: watch::Sender<Vec<String>>,
    /// A place for each act that may end.
    gate: Semaphore,
    /// What a join answers, and the state it leaves.
    join: Mutex<(LocalState, Result<(), String>)>,
}

impl Default for FakeEngine {
    fn default() -> Self {
        Self {
            node: Mutex::default(),
            acts: watch::Sender::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            join: Mutex::new((LocalState::Active, Ok(()))),
        }
    }
}

impl FakeEngine {
    /// Acts take effect and then hang until [`Self::release`].
    pub(crate) fn held() -> Self {
        Self { gate: Semaphore::new(0), ..Self::default() }
    }

    pub(crate) fn release(&self) {
        self.gate.add_permits(1_000);
    }

    pub(crate) fn join_ends(&self, state: LocalState, answer: Result<(), &str>) {
        *self.join.lock().unwrap() = (state, answer.map_err(str::to_owned));
    }

    pub(crate) fn set_state(&self, state: LocalState) {
        self.node.lock().unwrap().state = state;
    }

    pub(crate) fn acts(&self) -> Vec<String> {
        self.acts.borrow().clone()
    }

    pub(crate) async fn until_acted(&self, times: usize) {
        let mut acts = self.acts.subscribe();
        let enough = acts.wait_for(|acts| acts.len() >= times);
        tokio::time::timeout(crate::PATIENCE, enough).await.unwrap().unwrap();
    }

    async fn act(&self, what: String, become_: impl FnOnce(&mut LocalNode)) {
        become_(&mut self.node.lock().unwrap());
        self.acts.send_modify(|acts| acts.push(what));
        self.gate.acquire().await.unwrap().forget();
    }
}

#[async_trait]
impl Engine for FakeEngine {
    async fn look(&self) -> Result<EngineView, EngineError> {
        Ok(EngineView { node: self.node.lock().unwrap().clone(), ..EngineView::default() })
    }

    async fn nodes(&self) -> Result<Vec<Node>, EngineError> {
        Ok(Vec::new())
    }

    async fn swarm(&self) -> Result<Swarm, EngineError> {
        Ok(Swarm { id: "swarm".to_owned(), worker_token: Secret::new("SWMTKN") })
    }

    async fn init(&self, advertise: IpAddr) -> Result<(), EngineError> {
        self.act(format!("init {advertise}"), |node| {
            node.state = LocalState::Active;
            node.node_id = "n1".to_owned();
            node.manager = true;
            node.swarm_id = "swarm".to_owned();
        })
        .await;
        Ok(())
    }

    async fn join(&self, join: &Join) -> Result<(), EngineError> {
        let (state, answer) = self.join.lock().unwrap().clone();
        self.act(format!("join {}", join.advertise), |node| {
            node.state = state;
            node.node_id = "n2".to_owned();
        })
        .await;
        answer.map_err(|message| EngineError::new(EngineErrorKind::Refused, message))
    }

    async fn leave(&self, force: bool) -> Result<(), EngineError> {
        self.act(format!("leave {force}"), |node| *node = LocalNode::default()).await;
        Ok(())
    }

    async fn update_node(&self, change: &NodeChange) -> Result<(), EngineError> {
        self.act(format!("update {}", change.node_id), |_| {}).await;
        Ok(())
    }

    async fn remove_node(&self, node_id: &str, _force: bool) -> Result<(), EngineError> {
        self.act(format!("remove {node_id}"), |_| {}).await;
        Ok(())
    }
}
