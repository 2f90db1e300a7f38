//! Simulated swarms keep Docker's rules, as far as skep looks.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use skep_agent::{Engine, EngineError, EngineErrorKind, Join, LocalState, NodeChange};
use skep_types::{NodeRole, NodeState, Secret};

use super::*;

struct Hosts {
    swarms: Arc<SimSwarms>,
    engines: Vec<SimEngine>,
}

fn id(index: usize) -> ProviderId {
    format!("sim-{index:06}").parse().unwrap()
}

fn address(index: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 64, 0, u8::try_from(index).unwrap() + 1)
}

impl Hosts {
    fn new(count: usize) -> Self {
        let swarms = Arc::new(SimSwarms::default());
        let start = |index: usize| swarms.start(&id(index), &format!("host-{index}"));
        Self { engines: (0..count).map(start).collect(), swarms }
    }

    /// The first host inits, the others join as workers, and the first `managers` are promoted.
    async fn swarm(count: usize, managers: usize) -> Self {
        let hosts = Self::new(count);
        hosts.engines[0].init(address(0).into()).await.unwrap();
        for index in 1..count {
            hosts.join(index, 0).await.unwrap();
        }
        for index in 1..managers {
            hosts.set_role(index, NodeRole::Manager).await.unwrap();
        }
        hosts
    }

    async fn join(&self, index: usize, manager: usize) -> Result<(), EngineError> {
        let token = self.engines[0].swarm().await?.worker_token;
        let managers = vec![format!("{}:2377", address(manager))];
        let join = Join { managers, token, advertise: address(index).into() };
        self.engines[index].join(&join).await
    }

    async fn node_id(&self, index: usize) -> String {
        self.engines[index].look().await.unwrap().node.node_id
    }

    async fn set_role(&self, index: usize, role: NodeRole) -> Result<(), EngineError> {
        let change =
            NodeChange { node_id: self.node_id(index).await, role: Some(role), labels: BTreeMap::new() };
        self.engines[0].update_node(&change).await
    }

    async fn state_of(&self, node_id: &str) -> Option<NodeState> {
        let nodes = self.engines[0].nodes().await.unwrap();
        nodes.into_iter().find(|node| node.node_id == node_id).map(|node| node.state)
    }
}

fn is_refused(result: Result<(), EngineError>) -> bool {
    result.is_err_and(|error| error.kind == EngineErrorKind::Refused)
}

#[tokio::test]
async fn workers_join_and_are_promoted() {
    let hosts = Hosts::swarm(5, 3).await;
    let nodes = hosts.engines[0].nodes().await.unwrap();
    assert_eq!(nodes.len(), 5);
    assert_eq!(nodes.iter().filter(|node| node.role == NodeRole::Manager).count(), 3);
    assert_eq!(nodes.iter().filter(|node| node.leader).count(), 1);
    assert!(nodes.iter().all(|node| node.state == NodeState::Ready));
    assert!(hosts.engines[2].look().await.unwrap().node.manager);
    assert!(hosts.engines[3].nodes().await.is_err(), "a worker cannot list");
}

#[tokio::test]
async fn a_join_needs_a_free_engine_a_token_and_a_manager() {
    let hosts = Hosts::new(3);
    hosts.engines[0].init(address(0).into()).await.unwrap();
    assert!(is_refused(hosts.join(1, 2).await), "not a manager's address");
    hosts.join(1, 0).await.unwrap();
    assert!(is_refused(hosts.join(1, 0).await), "already part of a swarm");
    let managers = vec![format!("{}:2377", address(0))];
    let forged = Join { managers, token: Secret::new("SWMTKN-1-x"), advertise: address(2).into() };
    assert!(is_refused(hosts.engines[2].join(&forged).await));
    assert_eq!(hosts.engines[2].look().await.unwrap().node.state, LocalState::Inactive);
}

#[tokio::test]
async fn a_stopped_instance_is_down_and_comes_back_as_the_same_node() {
    let hosts = Hosts::swarm(3, 1).await;
    let node = hosts.node_id(2).await;
    hosts.swarms.stop(&id(2));
    assert_eq!(hosts.state_of(&node).await, Some(NodeState::Down));
    hosts.swarms.start(&id(2), "host-2");
    assert_eq!(hosts.state_of(&node).await, Some(NodeState::Ready));
    assert_eq!(hosts.node_id(2).await, node);
}

#[tokio::test]
async fn without_quorum_nothing_can_be_listed_or_changed() {
    let hosts = Hosts::swarm(4, 3).await;
    hosts.swarms.stop(&id(1));
    assert!(hosts.engines[0].nodes().await.is_ok());
    hosts.swarms.stop(&id(2));
    assert!(hosts.engines[0].nodes().await.is_err());
    assert!(is_refused(hosts.set_role(3, NodeRole::Manager).await));
    hosts.swarms.start(&id(1), "host-1");
    assert!(hosts.engines[0].nodes().await.is_ok());
}

#[tokio::test]
async fn managers_go_by_demotion_and_never_the_last() {
    let hosts = Hosts::swarm(3, 3).await;
    let third = hosts.node_id(2).await;
    assert!(is_refused(hosts.engines[2].leave(false).await), "a manager leaves by force only");
    assert!(is_refused(hosts.engines[0].remove_node(&third, true).await), "a manager is not removed");
    hosts.set_role(2, NodeRole::Worker).await.unwrap();
    hosts.set_role(1, NodeRole::Worker).await.unwrap();
    assert!(is_refused(hosts.set_role(0, NodeRole::Worker).await));
    hosts.engines[2].leave(false).await.unwrap();
    assert_eq!(hosts.state_of(&third).await, Some(NodeState::Down));
    hosts.engines[0].remove_node(&third, false).await.unwrap();
    hosts.engines[0].remove_node(&third, false).await.unwrap();
    assert_eq!(hosts.state_of(&third).await, None);
}

#[tokio::test]
async fn a_living_node_is_removed_by_force_only() {
    let hosts = Hosts::swarm(2, 1).await;
    let node = hosts.node_id(1).await;
    assert!(is_refused(hosts.engines[0].remove_node(&node, false).await));
    hosts.engines[0].remove_node(&node, true).await.unwrap();
    assert_eq!(hosts.engines[1].look().await.unwrap().node.state, LocalState::Inactive);
}

#[tokio::test]
async fn the_last_manager_takes_its_swarm_with_it() {
    let hosts = Hosts::swarm(1, 1).await;
    hosts.engines[0].leave(true).await.unwrap();
    assert_eq!(hosts.swarms.count(), (0, 0));
}

#[tokio::test]
async fn managers_are_rung_when_a_node_comes_or_goes() {
    let hosts = Hosts::swarm(3, 1).await;
    let rung = async || {
        let wait = std::time::Duration::from_millis(100);
        tokio::time::timeout(wait, hosts.engines[0].changed()).await.is_ok()
    };
    assert!(rung().await, "by the joins before");
    hosts.swarms.stop(&id(2));
    assert!(rung().await);
}
