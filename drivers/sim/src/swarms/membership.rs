//! Coming into a swarm, going out of it, and being changed in it, by Docker's rules.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use skep_agent::{EngineError, EngineErrorKind, Join, NodeChange};
use skep_types::{NodeRole, ProviderId};

use super::state::{Part, State, Swarm, SwarmNode};

type Done = Result<(), EngineError>;

fn refused<T>(message: impl Into<String>) -> Result<T, EngineError> {
    Err(EngineError::new(EngineErrorKind::Refused, message))
}

impl State {
    /// What a running engine is part of.
    pub(super) fn part(&self, id: &ProviderId) -> Result<&Part, EngineError> {
        match self.machines.get(id) {
            Some(machine) if machine.up => Ok(&machine.part),
            _ => Err(EngineError::new(EngineErrorKind::Unreachable, format!("{id} does not run"))),
        }
    }

    /// The swarm this engine manages, if it has a leader.
    pub(super) fn managed(&self, id: &ProviderId) -> Result<(&str, &Swarm), EngineError> {
        let Part::Node { swarm: swarm_id, node } = self.part(id)? else {
            return refused("this node is not part of a swarm");
        };
        let Some(swarm) = self.swarms.get(swarm_id) else {
            return refused("this node's swarm is gone");
        };
        if swarm.nodes.get(node).is_none_or(|node| node.role != NodeRole::Manager) {
            return refused("this node is not a swarm manager");
        }
        if self.leader(swarm).is_none() {
            return refused("the swarm does not have a leader");
        }
        Ok((swarm_id, swarm))
    }

    pub(super) fn init(&mut self, id: &ProviderId, advertise: IpAddr) -> Done {
        self.unoccupied(id)?;
        let swarm_id = self.new_id("simswarm");
        let worker_token = format!("SWMTKN-1-{swarm_id}-worker");
        self.swarms.insert(swarm_id.clone(), Swarm { worker_token, nodes: BTreeMap::new() });
        self.add_node(id, &swarm_id, NodeRole::Manager, advertise);
        Ok(())
    }

    pub(super) fn join(&mut self, id: &ProviderId, join: &Join) -> Done {
        self.unoccupied(id)?;
        let token = join.token.reveal();
        let Some((swarm_id, swarm)) = self.swarms.iter().find(|(_, swarm)| swarm.worker_token == token)
        else {
            return refused("invalid join token");
        };
        let answers = |address: &String| self.manager_at(swarm, address);
        if !join.managers.iter().any(answers) {
            return refused("no manager of the swarm answers at the given addresses");
        }
        if self.leader(swarm).is_none() {
            return refused("the swarm does not have a leader");
        }
        let swarm_id = swarm_id.clone();
        self.add_node(id, &swarm_id, NodeRole::Worker, join.advertise);
        Ok(())
    }

    fn unoccupied(&self, id: &ProviderId) -> Done {
        match self.part(id)? {
            Part::None => Ok(()),
            Part::Node { .. } => refused("this node is already part of a swarm"),
        }
    }

    fn manager_at(&self, swarm: &Swarm, address: &str) -> bool {
        let Ok(address) = address.parse::<SocketAddr>() else { return false };
        swarm.nodes.iter().any(|(id, node)| {
            node.role == NodeRole::Manager && address.ip() == node.address && self.is_up(id, node)
        })
    }

    fn add_node(&mut self, id: &ProviderId, swarm_id: &str, role: NodeRole, advertise: IpAddr) {
        let node_id = self.new_id("simnode");
        let Some(machine) = self.machines.get_mut(id) else { return };
        machine.part = Part::Node { swarm: swarm_id.to_owned(), node: node_id.clone() };
        let address = match advertise {
            IpAddr::V4(address) => address,
            IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
        };
        let node = SwarmNode {
            machine: id.clone(),
            hostname: machine.hostname.clone(),
            address,
            role,
            labels: BTreeMap::new(),
        };
        if let Some(swarm) = self.swarms.get_mut(swarm_id) {
            swarm.nodes.insert(node_id, node);
        }
        self.tell_swarm_of(id);
    }

    /// The node stays listed, down. The last manager takes its swarm with it.
    pub(super) fn leave(&mut self, id: &ProviderId, force: bool) -> Done {
        let Part::Node { swarm: swarm_id, node: node_id } = self.part(id)?.clone() else {
            return refused("this node is not part of a swarm");
        };
        let swarm = self.swarms.get(&swarm_id);
        let role = swarm.and_then(|swarm| swarm.nodes.get(&node_id)).map(|node| node.role);
        if role == Some(NodeRole::Manager) && !force {
            return refused("this node is a manager; leaving needs force");
        }
        self.tell_swarm_of(id);
        if let Some(machine) = self.machines.get_mut(id) {
            machine.part = Part::None;
        }
        let others = |swarm: &Swarm| {
            let managers = swarm.nodes.iter().filter(|(_, node)| node.role == NodeRole::Manager);
            managers.filter(|(id, _)| **id != node_id).count()
        };
        if role == Some(NodeRole::Manager) && self.swarms.get(&swarm_id).is_some_and(|s| others(s) == 0) {
            self.swarms.remove(&swarm_id);
        }
        Ok(())
    }

    pub(super) fn update_node(&mut self, id: &ProviderId, change: &NodeChange) -> Done {
        let (swarm_id, swarm) = self.managed(id)?;
        let Some(node) = swarm.nodes.get(&change.node_id) else {
            let message = format!("node {} not found", change.node_id);
            return Err(EngineError::new(EngineErrorKind::NotFound, message));
        };
        let demotes = node.role == NodeRole::Manager && change.role == Some(NodeRole::Worker);
        if demotes && !self.has_quorum(swarm, Some(&change.node_id)) {
            return refused("demoting this manager would lose the quorum");
        }
        let (swarm_id, machine) = (swarm_id.to_owned(), node.machine.clone());
        let node = self.swarms.get_mut(&swarm_id).and_then(|swarm| swarm.nodes.get_mut(&change.node_id));
        if let Some(node) = node {
            node.role = change.role.unwrap_or(node.role);
            node.labels.extend(change.labels.clone());
        }
        self.tell_managers(&swarm_id);
        self.tell_swarm_of(&machine);
        Ok(())
    }

    pub(super) fn remove_node(&mut self, id: &ProviderId, node_id: &str, force: bool) -> Done {
        let (swarm_id, swarm) = self.managed(id)?;
        let Some(node) = swarm.nodes.get(node_id) else { return Ok(()) };
        if node.role == NodeRole::Manager {
            return refused(format!("node {node_id} is a manager and must be demoted first"));
        }
        let up = self.is_up(node_id, node);
        if up && !force {
            return refused(format!("node {node_id} is not down"));
        }
        let (swarm_id, machine) = (swarm_id.to_owned(), node.machine.clone());
        if let Some(swarm) = self.swarms.get_mut(&swarm_id) {
            swarm.nodes.remove(node_id);
        }
        self.expel(&machine, node_id);
        self.tell_managers(&swarm_id);
        Ok(())
    }

    /// An engine whose node was removed finds itself in no swarm.
    fn expel(&mut self, machine: &ProviderId, node_id: &str) {
        let Some(machine) = self.machines.get_mut(machine) else { return };
        if matches!(&machine.part, Part::Node { node, .. } if node == node_id) {
            machine.part = Part::None;
            machine.changed.notify_one();
        }
    }
}
