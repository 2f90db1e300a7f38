//! The engine a host serves with, as the agent needs it: look, and six acts.
//!
//! An implementation only carries calls out. What an answer means, and whether to act at all, is decided by the worker,
//! so that a fake engine goes through the same decisions as a real one.

mod docker;
mod docker_swarm;
mod error;
mod events;
mod translate;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::IpAddr;

use async_trait::async_trait;
use skep_types::{NodeRole, NodeState, Secret};

pub use docker::Docker;
pub use error::{EngineError, EngineErrorKind};

/// Every call ends within a bound of the implementation's; one that may have had an effect without an answer says
/// [`EngineErrorKind::Unknown`].
#[async_trait]
pub trait Engine: Send + Sync + Debug + 'static {
    /// What the engine is, and what it knows of its own node.
    async fn look(&self) -> Result<EngineView, EngineError>;

    /// Whether people reach the engine through the front door. Asked until the first yes.
    async fn door(&self) -> Result<(), EngineError> {
        Ok(())
    }

    /// Every node of the swarm. Only a manager of a swarm that has a leader can tell.
    async fn nodes(&self) -> Result<Vec<Node>, EngineError>;

    /// The swarm this engine manages.
    async fn swarm(&self) -> Result<Swarm, EngineError>;

    async fn init(&self, advertise: IpAddr) -> Result<(), EngineError>;

    async fn join(&self, join: &Join) -> Result<(), EngineError>;

    async fn leave(&self, force: bool) -> Result<(), EngineError>;

    /// Changing a node to what it is already is success.
    async fn update_node(&self, change: &NodeChange) -> Result<(), EngineError>;

    /// Removing a node that is not there is success.
    async fn remove_node(&self, node_id: &str, force: bool) -> Result<(), EngineError>;

    /// Returns when another look is worth its price. May be dropped at any time; may never return, since the agent
    /// looks every now and then anyway.
    async fn changed(&self) {
        std::future::pending().await
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineView {
    pub facts: EngineFacts,
    pub node: LocalNode,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineFacts {
    pub version: String,
    pub api_version: String,
    pub operating_system: String,
    pub kernel: String,
    pub architecture: String,
}

/// An engine's part in a swarm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LocalState {
    #[default]
    Inactive,
    /// Joining: with luck it becomes active by itself, an hour later too.
    Pending,
    Active,
    Error,
    Locked,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalNode {
    pub state: LocalState,
    /// Empty where there is none.
    pub node_id: String,
    /// Docker tells it to managers only; empty on workers.
    pub swarm_id: String,
    pub manager: bool,
    pub error: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swarm {
    pub id: String,
    pub worker_token: Secret,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// HOST:PORT, at least one.
    pub managers: Vec<String>,
    pub token: Secret,
    pub advertise: IpAddr,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeChange {
    pub node_id: String,
    /// None leaves the role.
    pub role: Option<NodeRole>,
    /// Added to those the node has.
    pub labels: BTreeMap<String, String>,
}

/// A node as a manager lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub node_id: String,
    pub hostname: String,
    /// The role its spec asks for.
    pub role: NodeRole,
    pub state: NodeState,
    pub leader: bool,
    pub manager_reachable: bool,
    /// It has a manager status, reachable or not.
    pub manager_member: bool,
    pub address: String,
    pub labels: BTreeMap<String, String>,
    /// active, pause or drain.
    pub availability: &'static str,
}
