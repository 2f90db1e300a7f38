//! The agent's view of a simulated engine.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use skep_agent::{
    Engine, EngineError, EngineFacts, EngineView, Join, LocalNode, LocalState, Node, NodeChange, Swarm,
};
use skep_types::{NodeRole, NodeState, ProviderId, Secret};
use tokio::sync::Notify;

use super::SimSwarms;
use super::state::{Part, State, SwarmNode};

/// The engine of one instance.
#[derive(Debug)]
pub struct SimEngine {
    swarms: Arc<SimSwarms>,
    id: ProviderId,
    changed: Arc<Notify>,
}

impl SimEngine {
    pub(super) fn new(swarms: Arc<SimSwarms>, id: ProviderId, changed: Arc<Notify>) -> Self {
        Self { swarms, id, changed }
    }
}

#[async_trait]
impl Engine for SimEngine {
    async fn look(&self) -> Result<EngineView, EngineError> {
        let state = self.swarms.lock();
        let node = local_node(&state, state.part(&self.id)?);
        Ok(EngineView { facts: facts(), node })
    }

    async fn nodes(&self) -> Result<Vec<Node>, EngineError> {
        let state = self.swarms.lock();
        let (_, swarm) = state.managed(&self.id)?;
        let leader = state.leader(swarm);
        Ok(swarm.nodes.iter().map(|(id, node)| listed(&state, id, node, leader == Some(id))).collect())
    }

    async fn swarm(&self) -> Result<Swarm, EngineError> {
        let state = self.swarms.lock();
        let (id, swarm) = state.managed(&self.id)?;
        Ok(Swarm { id: id.to_owned(), worker_token: Secret::new(swarm.worker_token.clone()) })
    }

    async fn init(&self, advertise: IpAddr) -> Result<(), EngineError> {
        self.swarms.lock().init(&self.id, advertise)
    }

    async fn join(&self, join: &Join) -> Result<(), EngineError> {
        self.swarms.lock().join(&self.id, join)
    }

    async fn leave(&self, force: bool) -> Result<(), EngineError> {
        self.swarms.lock().leave(&self.id, force)
    }

    async fn update_node(&self, change: &NodeChange) -> Result<(), EngineError> {
        self.swarms.lock().update_node(&self.id, change)
    }

    async fn remove_node(&self, node_id: &str, force: bool) -> Result<(), EngineError> {
        self.swarms.lock().remove_node(&self.id, node_id, force)
    }

    async fn changed(&self) {
        self.changed.notified().await;
    }
}

fn facts() -> EngineFacts {
    EngineFacts {
        version: "sim".to_owned(),
        api_version: "1.47".to_owned(),
        operating_system: "simulated".to_owned(),
        kernel: "simulated".to_owned(),
        architecture: "x86_64".to_owned(),
    }
}

fn local_node(state: &State, part: &Part) -> LocalNode {
    let Part::Node { swarm: swarm_id, node: node_id } = part else { return LocalNode::default() };
    let node = state.swarms.get(swarm_id).and_then(|swarm| swarm.nodes.get(node_id));
    let manager = node.is_some_and(|node| node.role == NodeRole::Manager);
    LocalNode {
        state: LocalState::Active,
        node_id: node_id.clone(),
        swarm_id: if manager { swarm_id.clone() } else { String::new() },
        manager,
        error: String::new(),
    }
}

fn listed(state: &State, id: &str, node: &SwarmNode, leader: bool) -> Node {
    let up = state.is_up(id, node);
    let manager = node.role == NodeRole::Manager;
    Node {
        node_id: id.to_owned(),
        hostname: node.hostname.clone(),
        role: node.role,
        state: if up { NodeState::Ready } else { NodeState::Down },
        leader,
        manager_reachable: manager && up,
        manager_member: manager,
        address: node.address.to_string(),
        labels: node.labels.clone(),
        availability: "active",
    }
}
