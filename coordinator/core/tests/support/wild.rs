//! Commands nobody would send: every kind, with ids that are partly those of the state and partly made up.

mod agent;
mod outcome;
mod plan;
mod request;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use skep_core::command::{FailureKind, Guard, MemberCommand};
use skep_core::state::BrokenProgram;
use skep_core::{Command, State};
use skep_types::{
    AccountName, CoordinatorId, Digest, HostId, InstanceRef, IntentId, NodeId, PowerAction, Revision, SwarmId,
};

use super::build::{DriverSpec, digest};
use super::chance::Chance;
use super::cluster::founding;

pub(crate) struct Wild<'a> {
    pub(crate) state: &'a State,
    pub(crate) chance: &'a mut Chance,
}

impl Wild<'_> {
    pub(crate) fn command(&mut self) -> Command {
        match self.chance.below(20) {
            0..4 => Command::Request(self.request()),
            4..10 => Command::Plan(self.plan()),
            10..14 => Command::Outcome(self.outcome()),
            14..19 => Command::Agent(self.agent()),
            _ => Command::Member(self.member()),
        }
    }

    fn number(&mut self) -> u64 {
        match self.chance.below(8) {
            0 => 0,
            1 => u64::MAX,
            2 => self.chance.next(),
            _ => self.chance.next() % 8,
        }
    }

    fn small(&mut self) -> u32 {
        u32::try_from(self.chance.below(4)).unwrap_or(0)
    }

    fn known<T: Copy>(&mut self, known: Vec<T>, other: T) -> T {
        if self.chance.percent(85) { self.chance.pick(&known).copied().unwrap_or(other) } else { other }
    }

    fn host(&mut self) -> HostId {
        let other = HostId::new(self.small(), self.number());
        self.known(self.state.hosts.keys().copied().collect(), other)
    }

    fn hosts(&mut self) -> Vec<HostId> {
        (0..self.chance.below(4)).map(|_| self.host()).collect()
    }

    fn swarm(&mut self) -> SwarmId {
        let other = SwarmId::new(self.small(), self.number());
        self.known(self.state.swarms.keys().copied().collect(), other)
    }

    fn intent(&mut self) -> IntentId {
        let other = IntentId::new(self.small(), self.number());
        self.known(self.state.intents.keys().copied().collect(), other)
    }

    fn coordinator(&mut self) -> CoordinatorId {
        CoordinatorId(self.number())
    }

    fn account(&mut self) -> AccountName {
        let name = if self.chance.percent(90) { "sim" } else { "other" };
        name.parse().expect("an account's name")
    }

    fn epoch(&mut self) -> u64 {
        let owner = self.state.accounts.values().find_map(|account| account.owner(0).copied());
        let other = self.number();
        self.known(owner.map(|owner| owner.epoch).into_iter().collect(), other)
    }

    fn guard(&mut self) -> Guard {
        let host = self.host();
        let other = Revision::new(self.small(), self.number());
        let revision = self.state.host(host).map(|host| host.revision);
        Guard { host, revision: self.known(revision.into_iter().collect(), other) }
    }

    fn node(&mut self) -> NodeId {
        format!("n{:03}", self.chance.below(9)).parse().expect("a node id")
    }

    fn address(&mut self) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, u8::try_from(self.chance.below(9)).unwrap_or(0)))
    }

    fn instance(&mut self) -> InstanceRef {
        let known: Vec<InstanceRef> = self
            .state
            .hosts
            .values()
            .filter_map(|host| host.instance.as_ref().map(|instance| instance.instance.clone()))
            .collect();
        let made_up = format!("vm-{:04}", self.chance.below(40));
        let made_up = InstanceRef { provider_id: made_up.parse().expect("a provider id"), name: made_up };
        if self.chance.percent(30) { self.chance.pick(&known).cloned().unwrap_or(made_up) } else { made_up }
    }

    fn token(&mut self) -> Digest {
        let known =
            self.state.hosts.values().filter_map(|host| host.enrolment.map(|enrolment| enrolment.token));
        let known = known.collect();
        let other = digest(self.number());
        self.known(known, other)
    }

    fn power(&mut self) -> PowerAction {
        [PowerAction::Start, PowerAction::Stop, PowerAction::Restart, PowerAction::Kill][self.chance.below(4)]
    }

    fn kind(&mut self) -> FailureKind {
        match self.chance.below(4) {
            0 => FailureKind::Passing { retry_after: Duration::from_secs(self.number()) },
            1 => FailureKind::Capacity,
            2 => FailureKind::Lasting,
            _ => FailureKind::Unknown,
        }
    }

    /// Longer than what is kept, and cut inside a character if cut carelessly.
    fn text(&mut self) -> String {
        if self.chance.percent(10) { "xü".repeat(1_000) } else { "because".to_owned() }
    }

    fn broken(&mut self) -> BrokenProgram {
        BrokenProgram { name: self.text(), program: self.text(), reason: self.text() }
    }

    fn member(&mut self) -> MemberCommand {
        match self.chance.below(4) {
            0 => founding(),
            1 => MemberCommand::Redeem {
                token: digest(self.number()),
                address: String::new(),
                raft_address: String::new(),
                control_key: digest(self.number()),
                raft_key: digest(self.number()),
            },
            2 => MemberCommand::Register {
                coordinator: self.coordinator(),
                process: self.number(),
                address: String::new(),
                raft_address: String::new(),
                version: String::new(),
                drivers: vec![DriverSpec::ALL[self.chance.below(4)].describe()],
                broken: vec![self.broken()],
            },
            _ => MemberCommand::PutAccount {
                name: self.account(),
                driver: Box::new(DriverSpec::TOKEN.describe()),
                shards: u16::try_from(self.chance.below(20)).unwrap_or(0),
            },
        }
    }
}
