//! What an agent might say.

use skep_core::command::{AgentCommand, NodeListing, Observation, Observed, PermitResult};
use skep_core::state::SwarmNode;
use skep_types::{ConditionStatus, NodeRole, NodeState, PermitId};

use super::super::build::digest;
use super::Wild;

impl Wild<'_> {
    pub(super) fn agent(&mut self) -> AgentCommand {
        match self.chance.below(6) {
            0 => {
                let (token, key, peer) = (self.token(), digest(self.number()), self.address());
                let instance = self.chance.percent(30).then(|| self.instance().provider_id);
                AgentCommand::Enrol { token, key, peer, instance }
            }
            1..5 => AgentCommand::Observe((0..self.chance.below(3)).map(|_| self.observation()).collect()),
            _ => {
                let host = self.host();
                let known =
                    self.state.host(host).and_then(|host| host.permit.as_ref()).map(|permit| permit.id);
                let other = PermitId::new(1, self.number());
                let permit = self.known(known.into_iter().collect(), other);
                AgentCommand::Permit { host, permit, result: self.permit_result() }
            }
        }
    }

    fn permit_result(&mut self) -> PermitResult {
        if self.chance.percent(20) {
            return PermitResult::NotDone { message: self.text() };
        }
        PermitResult::Done {
            node: self.chance.percent(80).then(|| self.node()),
            swarm_id: self.chance.percent(80).then(|| "docker".to_owned()),
            sealed_worker_token: None,
        }
    }

    fn observation(&mut self) -> Observation {
        let host = self.host();
        let current =
            self.state.host(host).and_then(|host| host.session.as_ref()).map(|session| session.number);
        let other = self.number();
        let session_number = self.known(current.into_iter().collect(), other);
        let (reason, message) = ("Wild".to_owned(), self.text());
        let status = [ConditionStatus::True, ConditionStatus::False][self.chance.below(2)];
        let observed = match self.chance.below(9) {
            0..3 => Observed::Connected {
                coordinator: self.coordinator(),
                boot_id: self.text(),
                dialled: self.chance.percent(20),
            },
            3 => Observed::Disconnected,
            4..6 => Observed::Engine { status, reason, message },
            6 => Observed::Health { status, reason, message },
            7 => Observed::LocalNode { node: self.chance.percent(80).then(|| self.node()) },
            _ => {
                let changed = vec![(self.node(), self.swarm_node())];
                let gone = Some(self.node()).filter(|node| *node != changed[0].0);
                Observed::Nodes(NodeListing {
                    swarm: self.swarm(),
                    changed,
                    gone: gone.into_iter().collect(),
                })
            }
        };
        Observation { host, session_number, observed }
    }

    fn swarm_node(&mut self) -> SwarmNode {
        let states = [NodeState::Ready, NodeState::Down, NodeState::Unknown, NodeState::Disconnected];
        let roles = [None, Some(NodeRole::Manager), Some(NodeRole::Worker)];
        SwarmNode {
            hostname: String::new(),
            role: roles[self.chance.below(3)],
            state: states[self.chance.below(4)],
            leader: self.chance.percent(30),
            reachable: self.chance.percent(60),
            manager: self.chance.percent(60),
            labelled: self.chance.percent(50),
        }
    }
}
