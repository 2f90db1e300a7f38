//! The swarm record: what people asked for, and what its managers list.

use imbl::OrdMap;
use skep_types::{
    ClusterTime, HostId, NodeId, NodeRole, NodeState, OperationId, Revision, SwarmId, SwarmName,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Swarm {
    pub id: SwarmId,
    pub name: SwarmName,
    pub revision: Revision,
    pub created_by: OperationId,
    pub created_at: ClusterTime,
    pub managers: u32,
    pub workers: u32,
    /// Its hosts are deleted with it.
    pub absent: bool,
    /// The host that has, or had, the permit to init. Moves only after it confirmed that it did not, or is gone.
    pub init_host: Option<HostId>,
    /// Docker's id of it, once a host has initialised it.
    pub docker_id: Option<String>,
    /// Sealed for this swarm.
    pub worker_token: Option<Vec<u8>>,
    /// What its managers list, ours and foreign.
    pub nodes: OrdMap<NodeId, SwarmNode>,
    /// Nodes of ours whose hosts are gone: to be removed from the list.
    pub ghosts: Vec<NodeId>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SwarmNode {
    pub hostname: String,
    /// As the spec asks for.
    pub role: Option<NodeRole>,
    pub state: NodeState,
    pub leader: bool,
    /// It acts as a manager, and the others reach it.
    pub reachable: bool,
    /// It is a member of the managers' raft, reachable or not.
    pub manager: bool,
    /// Carries our label `skep-host`.
    pub labelled: bool,
}

impl Swarm {
    /// Managers that count for the quorum, and how many of them answer.
    pub fn quorum(&self) -> (usize, usize) {
        let managers = self.nodes.values().filter(|node| node.manager);
        managers.fold((0, 0), |(all, up), node| (all + 1, up + usize::from(node.reachable)))
    }

    /// Whether the managers have a majority now, and still would with this one less, all that answer now staying.
    pub fn survives_removal_of(&self, node: &NodeId) -> bool {
        let (all, up) = self.quorum();
        let answering = self.nodes.get(node).is_some_and(|node| node.manager && node.reachable);
        let up_after = up - usize::from(answering);
        all > 1 && up > all / 2 && up_after > (all - 1) / 2
    }
}
