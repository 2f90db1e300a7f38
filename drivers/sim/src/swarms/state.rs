//! What swarms there are, who is in them, and who of them can decide.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use skep_types::{NodeRole, ProviderId};
use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) machines: BTreeMap<ProviderId, Machine>,
    pub(super) swarms: BTreeMap<String, Swarm>,
    ids: u64,
}

/// An engine, with what is on its disk.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) up: bool,
    pub(super) hostname: String,
    pub(super) part: Part,
    /// Rung when the engine's own view changed.
    pub(super) changed: Arc<Notify>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    None,
    Node { swarm: String, node: String },
}

#[derive(Debug)]
pub(super) struct Swarm {
    pub(super) worker_token: String,
    pub(super) nodes: BTreeMap<String, SwarmNode>,
}

#[derive(Debug)]
pub(super) struct SwarmNode {
    pub(super) machine: ProviderId,
    pub(super) hostname: String,
    pub(super) address: Ipv4Addr,
    pub(super) role: NodeRole,
    pub(super) labels: BTreeMap<String, String>,
}

impl State {
    /// An id that looks like Docker's: 25 lower-case letters and digits.
    pub(super) fn new_id(&mut self, kind: &str) -> String {
        self.ids += 1;
        let digits = 25 - kind.len();
        format!("{kind}{:0digits$}", self.ids)
    }

    /// Whether the node's engine runs and still holds it to be its own.
    pub(super) fn is_up(&self, node_id: &str, node: &SwarmNode) -> bool {
        self.machines.get(&node.machine).is_some_and(|machine| {
            machine.up && matches!(&machine.part, Part::Node { node, .. } if node == node_id)
        })
    }

    fn managers_up<'a>(&'a self, swarm: &'a Swarm) -> impl Iterator<Item = &'a str> {
        let up = |(id, node): &(&String, &SwarmNode)| node.role == NodeRole::Manager && self.is_up(id, node);
        swarm.nodes.iter().filter(up).map(|(id, _)| id.as_str())
    }

    /// None while there is no quorum.
    pub(super) fn leader<'a>(&'a self, swarm: &'a Swarm) -> Option<&'a str> {
        if self.has_quorum(swarm, None) { self.managers_up(swarm).next() } else { None }
    }

    /// Whether more than half of the managers are up, once `without` is none any more.
    pub(super) fn has_quorum(&self, swarm: &Swarm, without: Option<&str>) -> bool {
        let managers = swarm.nodes.iter().filter(|(_, node)| node.role == NodeRole::Manager);
        let members = managers.filter(|(id, _)| Some(id.as_str()) != without).count();
        let up = self.managers_up(swarm).filter(|id| Some(*id) != without).count();
        up * 2 > members
    }

    /// Rings this machine and its swarm's managers, whose lists show it.
    pub(super) fn tell_swarm_of(&self, id: &ProviderId) {
        let Some(machine) = self.machines.get(id) else { return };
        machine.changed.notify_one();
        if let Part::Node { swarm, .. } = &machine.part {
            self.tell_managers(swarm);
        }
    }

    pub(super) fn tell_managers(&self, swarm: &str) {
        let Some(swarm) = self.swarms.get(swarm) else { return };
        for node in swarm.nodes.values().filter(|node| node.role == NodeRole::Manager) {
            if let Some(machine) = self.machines.get(&node.machine) {
                machine.changed.notify_one();
            }
        }
    }
}
