//! Plans of a leader that has lost its mind.

use std::time::Duration;

use skep_core::command::{Advance, Guard, NewIntent, NewSlot, PlanCommand};
use skep_core::state::{NodeChange, Task};
use skep_types::{FailureClass, NodeRole};

use super::super::build::{digest, template};
use super::Wild;

impl Wild<'_> {
    pub(super) fn plan(&mut self) -> PlanCommand {
        match self.chance.below(12) {
            0..4 => PlanCommand::Advance { guard: self.guard(), to: self.advance(), reason: self.text() },
            4..7 => self.open_intent(),
            7 => PlanCommand::Grant { guard: self.guard(), task: self.task() },
            8 => PlanCommand::Revoke { guard: self.guard() },
            9 => PlanCommand::AssignOwner {
                account: self.account(),
                shard: u16::try_from(self.chance.below(3)).unwrap_or(0),
                epoch: self.epoch(),
                coordinator: self.coordinator(),
                process: self.number(),
                idle: Some(Duration::from_millis(u64::from(self.small()))),
            },
            10 => PlanCommand::Disconnect { host: self.host(), session_number: self.number() },
            _ if self.chance.percent(50) => PlanCommand::ForgetSwarm { swarm: self.swarm() },
            _ => PlanCommand::ForgetCoordinator { coordinator: self.coordinator() },
        }
    }

    fn advance(&mut self) -> Advance {
        match self.chance.below(9) {
            0 => Advance::Joining,
            1 => Advance::Ready,
            2 => Advance::Stopped,
            3 => Advance::Demoting,
            4 => Advance::Leaving,
            5 => Advance::Deleting,
            6 => Advance::Deleted,
            7 => Advance::Failed { class: FailureClass::Boot, message: self.text() },
            _ => Advance::Quarantined,
        }
    }

    fn open_intent(&mut self) -> PlanCommand {
        let mut guards: Vec<Guard> = (0..self.chance.below(4)).map(|_| self.guard()).collect();
        if self.chance.percent(70) {
            guards.retain(|guard| self.state.host(guard.host).is_some_and(|host| host.needs_intent()));
            guards.truncate(1);
        }
        let slots = guards.len() + usize::from(self.chance.percent(5));
        let intent = match self.chance.below(3) {
            0 => NewIntent::Create {
                template: template(),
                slots: (0..slots).map(|_| NewSlot { token: digest(self.chance.next()) }).collect(),
                sealed_bootstrap: Vec::new(),
            },
            1 => NewIntent::Power { action: self.power() },
            _ => NewIntent::Destroy,
        };
        let shard = u16::try_from(self.chance.below(2)).unwrap_or(0);
        PlanCommand::OpenIntent { guards, account: self.account(), shard, intent }
    }

    fn task(&mut self) -> Task {
        let advertise = self.address();
        match self.chance.below(5) {
            0 => Task::SwarmInit { advertise },
            1 => Task::SwarmJoin { advertise, managers: vec![advertise] },
            2 => Task::SwarmLeave { force: true },
            3 => Task::UpdateNodes {
                changes: vec![NodeChange {
                    node: self.node(),
                    role: Some(NodeRole::Manager),
                    labels: vec![("skep-host".to_owned(), String::new())],
                }],
            },
            _ => Task::RemoveNodes { nodes: vec![self.node()], force: true },
        }
    }
}
