//! The swarm record.

use imbl::OrdMap;
use skep_core::state::{Swarm, SwarmNode};
use skep_types::{NodeId, NodeState};

use super::pb;
use super::wire::{Field, Unreadable, Wire, record, word};

word! {
    NodeState { Unknown, Ready, Down, Disconnected }
}

record! {
    Swarm {
        id, name, revision, created_by, created_at, managers, workers, absent, init_host, docker_id, worker_token,
        nodes, ghosts,
    }
    SwarmNode { hostname, role, state, leader, reachable, manager, labelled }
}

impl Wire for (NodeId, SwarmNode) {
    type Pb = pb::ListedNode;

    fn to_pb(&self) -> pb::ListedNode {
        listed(&self.0, &self.1)
    }

    fn from_pb(pb: pb::ListedNode) -> Result<Self, Unreadable> {
        let id = Field::from_field(pb.id).map_err(|error| error.within("id"))?;
        let node = Field::from_field(pb.node).map_err(|error| error.within("node"))?;
        Ok((id, node))
    }
}

impl Field<Vec<pb::ListedNode>> for OrdMap<NodeId, SwarmNode> {
    fn to_field(&self) -> Vec<pb::ListedNode> {
        self.iter().map(|(id, node)| listed(id, node)).collect()
    }

    fn from_field(pb: Vec<pb::ListedNode>) -> Result<Self, Unreadable> {
        pb.into_iter().map(Wire::from_pb).collect()
    }
}

fn listed(id: &NodeId, node: &SwarmNode) -> pb::ListedNode {
    pb::ListedNode { id: id.to_field(), node: node.to_field() }
}
