//! Commands nobody would send: every kind, with ids that are partly those of the state and partly made up.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use skep_core::command::{
    Advance, AgentCommand, Failure, FailureKind, Guard, MemberCommand, NewIntent, NewSlot, NodeListing,
    Observation, Observed, OutcomeCommand, PermitResult, Placement, PlanCommand, Request, Shortfall,
};
use skep_core::state::{NodeChange, SwarmNode, Task};
use skep_core::{Command, State};
use skep_types::{
    AccountName, ClusterTime, ConditionStatus, CoordinatorId, Digest, FailureClass, HostId, InstanceRef,
    IntentId, NodeId, NodeRole, NodeState, OnFailure, PermitId, PersonRole, Policy, PowerAction, Revision,
    SwarmId,
};

use super::build::{DriverSpec, create_hosts, create_swarm, digest, request, template};
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

    fn request(&mut self) -> skep_core::command::RequestCommand {
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
        create.max_failures = self.chance.percent(30).then(|| 0);
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

    fn plan(&mut self) -> PlanCommand {
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

    fn outcome(&mut self) -> OutcomeCommand {
        let (intent, epoch) = (self.intent(), self.epoch());
        match self.chance.below(10) {
            0 => OutcomeCommand::MarkAttempted { intent, epoch },
            1..5 => {
                let placements = (0..self.chance.below(4)).map(|_| self.placement()).collect();
                OutcomeCommand::Bind { intent, epoch, placements }
            }
            5..7 => {
                let shortfall =
                    self.chance.percent(50).then(|| Shortfall { kind: self.kind(), message: self.text() });
                OutcomeCommand::CloseCreate { intent, epoch, shortfall }
            }
            7..9 => {
                let targets = self.state.intents.get(&intent).map_or(0, |intent| intent.hosts().len());
                let count = if self.chance.percent(80) { targets } else { self.chance.below(4) };
                let mut result = |_| match self.chance.percent(50) {
                    true => Ok(()),
                    false => Err(Failure { kind: self.kind(), message: self.text() }),
                };
                let results = (0..count).map(&mut result).collect();
                OutcomeCommand::CloseTargets { intent, epoch, results }
            }
            _ => OutcomeCommand::DestroyOrphan {
                account: self.account(),
                epoch,
                instance: self.instance(),
                intent: self.chance.percent(80).then_some(intent),
            },
        }
    }

    fn placement(&mut self) -> Placement {
        Placement {
            host: self.chance.percent(50).then(|| self.host()),
            instance: self.instance(),
            private_address: Some(self.address()),
            public_address: None,
            zone: String::new(),
        }
    }

    fn agent(&mut self) -> AgentCommand {
        match self.chance.below(6) {
            0 => {
                AgentCommand::Enrol { token: self.token(), key: digest(self.number()), peer: self.address() }
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
            0..3 => Observed::Connected { coordinator: self.coordinator(), boot_id: self.text() },
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
            },
            _ => MemberCommand::PutAccount {
                name: self.account(),
                driver: Box::new(DriverSpec::TOKEN.describe()),
                shards: u16::try_from(self.chance.below(20)).unwrap_or(0),
            },
        }
    }
}
