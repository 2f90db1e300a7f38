//! What agents say, proposed by the coordinator that holds their stream: transitions only, batched.

use std::net::IpAddr;

use skep_types::{ConditionStatus, CoordinatorId, Digest, HostId, NodeId, PermitId, ProviderId, SwarmId};

use crate::state::{Facts, SwarmNode};

#[derive(Debug, Clone, PartialEq)]
pub enum AgentCommand {
    /// First contact: binds the token to the key. Which host it is for, of several that share the token, is told as
    /// [`Claim`](crate::Claim) says.
    Enrol {
        token: Digest,
        key: Digest,
        /// Where the agent called from.
        peer: IpAddr,
        /// What its evidence proves it to be; None where its account goes by addresses.
        instance: Option<ProviderId>,
    },
    Observe(Vec<Observation>),
    Permit {
        host: HostId,
        permit: PermitId,
        result: PermitResult,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    pub host: HostId,
    /// Of the session that saw it: one of an older session changes nothing.
    pub session_number: u64,
    pub observed: Observed,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Observed {
    Connected {
        coordinator: CoordinatorId,
        boot_id: String,
        /// Over a connection that a coordinator opened.
        dialled: bool,
    },
    /// The stream ended and did not come back, or heartbeats stopped, for the whole grace.
    Disconnected,
    Facts(Facts),
    Engine {
        status: ConditionStatus,
        reason: String,
        message: String,
    },
    Health {
        status: ConditionStatus,
        reason: String,
        message: String,
    },
    /// The engine is no node of any swarm, or of this one.
    LocalNode {
        node: Option<NodeId>,
    },
    /// From a manager: what changed in its list.
    Nodes(NodeListing),
}

#[derive(Debug, Clone, PartialEq)]
pub struct NodeListing {
    pub swarm: SwarmId,
    /// New or changed ones.
    pub changed: Vec<(NodeId, SwarmNode)>,
    pub gone: Vec<NodeId>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum PermitResult {
    Done {
        /// After init and join: this host's node.
        node: Option<NodeId>,
        /// After init.
        swarm_id: Option<String>,
        /// After init; sealed for the swarm.
        sealed_worker_token: Option<Vec<u8>>,
    },
    NotDone {
        message: String,
    },
}
