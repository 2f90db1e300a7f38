//! Docker's models into ours, and back.

use bollard::models::{
    LocalNodeState, ManagerStatus, NodeSpec, NodeSpecAvailabilityEnum, NodeSpecRoleEnum, Reachability,
    SwarmInfo,
};
use skep_types::{NodeRole, NodeState};

use super::{LocalNode, LocalState, Node, NodeChange};

pub(super) fn local_node(swarm: Option<SwarmInfo>) -> LocalNode {
    let swarm = swarm.unwrap_or_default();
    LocalNode {
        state: local_state(swarm.local_node_state),
        node_id: swarm.node_id.unwrap_or_default(),
        swarm_id: swarm.cluster.and_then(|cluster| cluster.id).unwrap_or_default(),
        manager: swarm.control_available.unwrap_or_default(),
        error: swarm.error.unwrap_or_default(),
    }
}

fn local_state(state: Option<LocalNodeState>) -> LocalState {
    match state {
        None | Some(LocalNodeState::EMPTY | LocalNodeState::INACTIVE) => LocalState::Inactive,
        Some(LocalNodeState::PENDING) => LocalState::Pending,
        Some(LocalNodeState::ACTIVE) => LocalState::Active,
        Some(LocalNodeState::ERROR) => LocalState::Error,
        Some(LocalNodeState::LOCKED) => LocalState::Locked,
    }
}

/// None for a node without an id, which Docker never lists.
pub(super) fn node(node: bollard::models::Node) -> Option<Node> {
    let spec = node.spec.unwrap_or_default();
    let status = node.status.unwrap_or_default();
    let manager = node.manager_status;
    Some(Node {
        node_id: node.id?,
        hostname: node.description.and_then(|description| description.hostname).unwrap_or_default(),
        role: role(spec.role),
        state: state(status.state),
        leader: manager.as_ref().and_then(|manager| manager.leader).unwrap_or_default(),
        manager_reachable: manager.as_ref().is_some_and(reachable),
        manager_member: manager.is_some(),
        address: status.addr.unwrap_or_default(),
        labels: spec.labels.unwrap_or_default().into_iter().collect(),
        availability: availability(spec.availability),
    })
}

fn role(role: Option<NodeSpecRoleEnum>) -> NodeRole {
    match role {
        Some(NodeSpecRoleEnum::MANAGER) => NodeRole::Manager,
        _ => NodeRole::Worker,
    }
}

fn state(state: Option<bollard::models::NodeState>) -> NodeState {
    use bollard::models::NodeState as Docker;
    match state {
        None | Some(Docker::UNKNOWN) => NodeState::Unknown,
        Some(Docker::READY) => NodeState::Ready,
        Some(Docker::DOWN) => NodeState::Down,
        Some(Docker::DISCONNECTED) => NodeState::Disconnected,
    }
}

fn reachable(manager: &ManagerStatus) -> bool {
    manager.reachability == Some(Reachability::REACHABLE)
}

fn availability(availability: Option<NodeSpecAvailabilityEnum>) -> &'static str {
    match availability {
        Some(NodeSpecAvailabilityEnum::PAUSE) => "pause",
        Some(NodeSpecAvailabilityEnum::DRAIN) => "drain",
        _ => "active",
    }
}

/// `spec` with what `change` asks for, and everything else as it was.
pub(super) fn changed_spec(mut spec: NodeSpec, change: &NodeChange) -> NodeSpec {
    match change.role {
        Some(NodeRole::Manager) => spec.role = Some(NodeSpecRoleEnum::MANAGER),
        Some(NodeRole::Worker) => spec.role = Some(NodeSpecRoleEnum::WORKER),
        None => {}
    }
    if !change.labels.is_empty() {
        let added = change.labels.iter().map(|(name, value)| (name.clone(), value.clone()));
        spec.labels.get_or_insert_default().extend(added);
    }
    spec
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;

    #[test]
    fn an_engine_without_a_swarm_is_inactive() {
        assert_eq!(local_node(None), LocalNode::default());
        assert_eq!(local_node(Some(SwarmInfo::default())).state, LocalState::Inactive);
    }

    #[test]
    fn a_change_adds_and_takes_nothing_away() {
        let spec = NodeSpec {
            labels: Some(HashMap::from([("kept".to_owned(), "1".to_owned())])),
            availability: Some(NodeSpecAvailabilityEnum::DRAIN),
            role: Some(NodeSpecRoleEnum::WORKER),
            name: None,
        };
        let change = NodeChange {
            node_id: "n".to_owned(),
            role: Some(NodeRole::Manager),
            labels: BTreeMap::from([("added".to_owned(), "2".to_owned())]),
        };
        let changed = changed_spec(spec, &change);
        assert_eq!(changed.role, Some(NodeSpecRoleEnum::MANAGER));
        assert_eq!(changed.availability, Some(NodeSpecAvailabilityEnum::DRAIN));
        assert_eq!(changed.labels.unwrap().len(), 2);
    }

    #[test]
    fn an_empty_change_changes_nothing() {
        let change = NodeChange { node_id: "n".to_owned(), role: None, labels: BTreeMap::new() };
        assert_eq!(changed_spec(NodeSpec::default(), &change), NodeSpec::default());
    }
}
