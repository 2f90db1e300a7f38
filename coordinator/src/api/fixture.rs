//! For tests of the API: a replicated state with people, a driver, and whatever hosts a test asks for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use skep_core::command::{
    CreateHosts, CreateSwarm, Founding, MemberCommand, Request, RequestCommand, RequestMeta,
};
use skep_core::state::{Enrolment, Host, Instance, Issuers, Swarm, SwarmNode};
use skep_core::{Command, Entry, Reply, State, apply};
use skep_types::{
    Batch, ClusterTime, ConditionKind, ConditionStatus, CoordinatorId, CredentialDescription, Digest,
    DriverDescription, FlagDescription, FlagKind, HostName, Idempotency, InstanceRef, IntentId, Limits,
    NodeRole, NodeState, OnFailure, OperationId, PersonRole, Phase, Policy, PowerActions, SealedIssuer,
    SlotNaming, Template, WayIn,
};

/// The first admin; founded with certificate generation 1.
pub(super) const ADMIN: &str = "ada";

#[derive(Debug)]
pub(super) struct Lab {
    pub(super) state: State,
    requests: u32,
}

impl Lab {
    /// A cluster of one coordinator with the driver `lab`.
    pub(super) fn new() -> Self {
        let mut lab = Self { state: State::default(), requests: 0 };
        let issuer = || SealedIssuer { certificate_der: vec![1], sealed_key: vec![2] };
        lab.apply(Command::Member(MemberCommand::Found(Box::new(Founding {
            cluster: "lab-cluster".parse().unwrap(),
            issuers: Issuers { raft: issuer(), control: issuer(), docker: issuer() },
            address: "10.0.0.1:7400".to_owned(),
            raft_address: "10.0.0.1:7401".to_owned(),
            control_key: Digest([1; 32]),
            raft_key: Digest([2; 32]),
            admin: ADMIN.parse().unwrap(),
        }))));
        lab.apply(Command::Member(MemberCommand::Register {
            coordinator: CoordinatorId(1),
            process: 1,
            address: "10.0.0.1:7400".to_owned(),
            raft_address: "10.0.0.1:7401".to_owned(),
            version: "0.1.0".to_owned(),
            drivers: vec![driver()],
            broken: Vec::new(),
        }));
        lab
    }

    pub(super) fn apply(&mut self, command: Command) -> Reply {
        let time = self.state.time.after(Duration::from_secs(1));
        let (replies, _) = apply(&mut self.state, &Entry { time, commands: vec![command] });
        replies.into_iter().next().unwrap()
    }

    /// By the admin, under a request id of its own.
    pub(super) fn command(&mut self, request: Request) -> RequestCommand {
        self.requests += 1;
        let meta = RequestMeta {
            request_id: format!("request-{}", self.requests).parse().unwrap(),
            body: Digest([0; 32]),
            actor: ADMIN.parse().unwrap(),
            generation: u64::MAX,
            peer: "127.0.0.1:9".to_owned(),
            method: "Test/Test".to_owned(),
            if_revision: None,
        };
        RequestCommand { meta, request }
    }

    pub(super) fn ask(&mut self, request: Request) -> OperationId {
        let command = self.command(request);
        match self.apply(Command::Request(command)) {
            Reply::Accepted(operation) => operation,
            reply => panic!("{reply:?}"),
        }
    }

    pub(super) fn person(&mut self, name: &str, role: PersonRole) {
        let name = name.parse().unwrap();
        self.ask(Request::PutPerson { name, role, dismiss_certificates: false });
    }

    pub(super) fn hosts(&mut self, name: &str, count: u32) -> OperationId {
        self.ask(Request::CreateHosts(create_hosts(name, count)))
    }

    pub(super) fn swarm(&mut self, name: &str, managers: u32, workers: u32) -> OperationId {
        self.ask(Request::CreateSwarm(CreateSwarm {
            shares: vec![Arc::new(template()).into()],
            name: name.parse().unwrap(),
            managers,
            workers,
            policy: Policy::BestEffort,
            on_failure: OnFailure::Keep,
        }))
    }

    /// Sets a host's record, as no command could so shortly.
    pub(super) fn set(&mut self, name: &str, change: impl FnOnce(&mut Host)) {
        let mut host = Host::clone(self.state.find_host(name).unwrap());
        change(&mut host);
        self.state.hosts.insert(host.id, Arc::new(host));
        self.state = self.state.clone().reindexed();
    }

    /// Serving, connected, at 10.1.0.COUNTER.
    pub(super) fn ready(&mut self, name: &str) {
        let now = self.state.time;
        self.set(name, |host| {
            host.phase = Phase::Ready;
            host.incarnation = 1;
            host.instance = Some(instance(host.id.counter));
            host.enrolment =
                Some(Enrolment { token: Digest([3; 32]), key: Some(Digest([4; 32])), expires_at: None });
            host.conditions.set(ConditionKind::AgentConnected, ConditionStatus::True, "Connected", "", now);
            if host.membership.is_some() {
                host.node = Some(format!("node-{}", host.name).parse().unwrap());
            }
        });
    }

    pub(super) fn set_swarm(&mut self, name: &str, change: impl FnOnce(&mut Swarm)) {
        let mut swarm = Swarm::clone(self.state.find_swarm(name).unwrap());
        change(&mut swarm);
        self.state.swarms.insert(swarm.id, Arc::new(swarm));
    }

    pub(super) fn host(&self, name: &str) -> &Host {
        self.state.find_host(name).unwrap()
    }
}

pub(crate) fn driver() -> DriverDescription {
    let flag = |name: &str, kind| FlagDescription {
        name: name.to_owned(),
        kind,
        usage: "for tests".to_owned(),
        default: String::new(),
        env: String::new(),
    };
    DriverDescription {
        name: "lab".parse().unwrap(),
        flags: vec![flag("lab-cpus", FlagKind::Integer), flag("lab-image", FlagKind::String)],
        account_flags: vec![flag("lab-endpoint", FlagKind::String)],
        credentials: vec![CredentialDescription {
            name: "lab-key".to_owned(),
            usage: "opens the lab".to_owned(),
            env: String::new(),
            required: false,
        }],
        way_in: WayIn::UserData,
        idempotency: Idempotency::UniqueName,
        batch: Batch { max: 1, naming: SlotNaming::Named },
        calls_in_flight_max: 4,
        limits: Limits::default(),
        settle: Duration::ZERO,
        power: PowerActions::All,
        adopts: false,
        attests: false,
        tunnels: false,
        addresses_change: false,
        console: false,
    }
}

pub(super) fn template() -> Template {
    Template {
        driver: "lab".parse().unwrap(),
        account: "lab".parse().unwrap(),
        options: BTreeMap::new(),
        labels: BTreeMap::from([("tier".to_owned(), "web".to_owned())]),
    }
}

pub(super) fn create_hosts(name: &str, count: u32) -> CreateHosts {
    CreateHosts {
        shares: vec![Arc::new(template()).into()],
        name: name.parse::<HostName>().unwrap(),
        count,
        min_count: 0,
        policy: Policy::BestEffort,
        max_failures: None,
        on_failure: OnFailure::Keep,
    }
}

fn instance(counter: u64) -> Instance {
    Instance {
        instance: InstanceRef {
            provider_id: format!("lab-{counter}").parse().unwrap(),
            name: "lab".to_owned(),
        },
        intent: IntentId::new(0, 0),
        private_address: Some(format!("10.1.0.{counter}").parse().unwrap()),
        public_address: None,
        zone: "z1".to_owned(),
        sealed_kept: None,
        bound_at: ClusterTime(0),
    }
}

/// As its managers list a node that is as it should be.
pub(super) fn node(role: NodeRole, leader: bool) -> SwarmNode {
    SwarmNode {
        hostname: "h".to_owned(),
        role: Some(role),
        state: NodeState::Ready,
        leader,
        reachable: role == NodeRole::Manager,
        manager: role == NodeRole::Manager,
        labelled: true,
    }
}

/// The fields a refusal names.
pub(super) fn fields(refusal: &skep_types::Refusal) -> Vec<&str> {
    refusal.violations.iter().map(|violation| violation.field.as_str()).collect()
}
