//! Who may be given a permit: each host one at a time, and only one that can be asked now.

use std::collections::BTreeSet;

use skep_types::{ClusterTime, HostId, NodeId, NodeRole, Phase};

use super::guard;
use crate::command::PlanCommand;
use crate::state::{Host, Swarm, SwarmNode, Task};

pub(super) struct Turns<'a> {
    now: ClusterTime,
    pub(super) swarm: &'a Swarm,
    /// In the order of their ids.
    pub(super) members: Vec<&'a Host>,
    taken: BTreeSet<HostId>,
    commands: Vec<PlanCommand>,
}

impl<'a> Turns<'a> {
    pub(super) fn new(now: ClusterTime, swarm: &'a Swarm, members: Vec<&'a Host>) -> Self {
        Self { now, swarm, members, taken: BTreeSet::new(), commands: Vec::new() }
    }

    pub(super) fn node(&self, host: &Host) -> Option<&'a SwarmNode> {
        self.swarm.nodes.get(host.node.as_ref()?)
    }

    pub(super) fn can_be_asked(&self, host: &Host) -> bool {
        host.connected()
            && host.permit.is_none()
            && !self.taken.contains(&host.id)
            && host.retry_at.is_none_or(|until| until <= self.now)
    }

    pub(super) fn grant(&mut self, host: &Host, task: Task) {
        self.taken.insert(host.id);
        self.commands.push(PlanCommand::Grant { guard: guard(host), task });
    }

    /// What a lost manager was to do for others, another one may do.
    pub(super) fn take_back_lost(&mut self) {
        for host in &self.members {
            let lost =
                !host.connected() && host.permit.as_ref().is_some_and(|permit| permit.task.idempotent());
            if lost {
                self.taken.insert(host.id);
                self.commands.push(PlanCommand::Revoke { guard: guard(host) });
            }
        }
    }

    /// A manager that can do something for others: one that stays before one that is to go, the leader before others.
    pub(super) fn acting_manager(&self, not: Option<&NodeId>) -> Option<&'a Host> {
        let able = self.members.iter().copied().filter(|host| {
            let serves = matches!(host.phase, Phase::Joining | Phase::Ready | Phase::Demoting);
            let manager = self.node(host).is_some_and(|node| node.manager && node.reachable);
            serves && manager && self.can_be_asked(host) && host.node.as_ref() != not
        });
        able.max_by_key(|host| {
            let leader = self.node(host).is_some_and(|node| node.leader);
            (!host.desired.absent, leader, std::cmp::Reverse(host.id))
        })
    }

    /// What other managers were asked to change or remove and have not answered for.
    pub(super) fn nodes_in_work(&self) -> BTreeSet<&'a NodeId> {
        let mut nodes = BTreeSet::new();
        for permit in self.members.iter().filter_map(|host| host.permit.as_ref()) {
            match &permit.task {
                Task::UpdateNodes { changes } => nodes.extend(changes.iter().map(|change| &change.node)),
                Task::RemoveNodes { nodes: removed, .. } => nodes.extend(removed),
                Task::SwarmInit { .. } | Task::SwarmJoin { .. } | Task::SwarmLeave { .. } => {}
            }
        }
        nodes
    }

    /// A role that was asked for and is not there yet.
    pub(super) fn manager_change_under_way(&self) -> bool {
        let unsettled = |node: &SwarmNode| match node.role {
            Some(NodeRole::Manager) => !node.manager,
            Some(NodeRole::Worker) => node.manager,
            None => false,
        };
        self.swarm.nodes.values().any(unsettled)
    }

    /// Whether a manager may be changing a role just now.
    pub(super) fn role_permit_open(&self) -> bool {
        self.members.iter().any(|host| match host.permit.as_ref().map(|permit| &permit.task) {
            Some(Task::UpdateNodes { changes }) => changes.iter().any(|change| change.role.is_some()),
            _ => false,
        })
    }

    /// The commands, and when hosts in a pause may be asked again.
    pub(super) fn finish(self) -> (Vec<PlanCommand>, Vec<(ClusterTime, HostId)>) {
        let now = self.now;
        let pause = |host: &&Host| Some((host.retry_at.filter(|until| *until > now)?, host.id));
        (self.commands, self.members.iter().filter_map(pause).collect())
    }
}
