//! Requests of people.

use skep_core::command::{Request, RequestCommand};
use skep_types::{ClusterTime, OnFailure, PersonRole, Policy};

use super::super::build::{create_hosts, create_swarm, digest, request};
use super::Wild;

impl Wild<'_> {
    pub(super) fn request(&mut self) -> RequestCommand {
        let which = match self.chance.below(10) {
            0..2 => self.create(),
            2 => self.create_swarm(),
            3..5 => Request::DeleteHosts { hosts: self.hosts(), force: self.chance.percent(30) },
            5 => Request::DeleteSwarm { swarm: self.swarm() },
            6..8 => Request::PowerHosts { hosts: self.hosts(), action: self.power() },
            8 => Request::CreateJoinToken {
                token: digest(self.number()),
                expires_at: ClusterTime(self.number()),
            },
            _ => self.administer(),
        };
        let id = format!("r{}", self.chance.below(60));
        let mut command = request(&id, which);
        if self.chance.percent(10) {
            command.meta.if_revision = Some(self.guard().revision);
        }
        if self.chance.percent(5) {
            command.meta.actor = "mallory".parse().expect("a name");
        }
        command
    }

    fn create(&mut self) -> Request {
        let name = format!("w{}", self.chance.below(5));
        let mut create = create_hosts(&name, self.small());
        create.min_count = self.small();
        create.max_failures = self.chance.percent(30).then_some(0);
        create.policy = if self.chance.percent(50) { Policy::AllOrNothing } else { Policy::BestEffort };
        create.on_failure = if self.chance.percent(50) { OnFailure::Delete } else { OnFailure::Keep };
        Request::CreateHosts(create)
    }

    fn create_swarm(&mut self) -> Request {
        let name = format!("s{}", self.chance.below(3));
        Request::CreateSwarm(create_swarm(&name, self.small(), self.small()))
    }

    fn administer(&mut self) -> Request {
        let names = ["ada", "bob"];
        let name = names[self.chance.below(2)].parse().expect("a name");
        let roles = [PersonRole::Admin, PersonRole::Operator, PersonRole::Viewer];
        match self.chance.below(3) {
            0 => Request::PutPerson {
                name,
                role: roles[self.chance.below(3)],
                dismiss_certificates: self.chance.percent(50),
            },
            1 => Request::RemovePerson { name },
            _ => Request::RemoveCoordinator { coordinator: self.coordinator() },
        }
    }
}
