//! The replicated state, and what must hold after every entry.

use std::collections::BTreeMap;

use skep_core::command::{Founding, MemberCommand, NewIntent, NewSlot, PlanCommand, Reply, RequestCommand};
use skep_core::plan::account::WishKind;
use skep_core::plan::owner::{self, Liveness};
use skep_core::plan::{Plan, Step, View, next_step};
use skep_core::state::{Host, Issuers, Operation, Swarm};
use skep_core::{Changes, Command, Entry, State, apply};
use skep_types::{ClusterTime, CoordinatorId, Digest, HostId, IntentId, OperationId, SealedIssuer};

use super::build::{DriverSpec, digest, host_name, person};

#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    pub(crate) state: State,
    pub(crate) now: ClusterTime,
    /// What the leader has not looked at yet.
    pub(crate) changes: Changes,
    /// Of each coordinator's running process.
    pub(crate) liveness: Liveness,
    pub(crate) log: Vec<Entry>,
    /// Compares the index with one made anew after every entry: too slow for thousands of hosts.
    pub(crate) checked: bool,
}

impl Cluster {
    /// Nothing but an empty log.
    pub(crate) fn empty() -> Self {
        Self {
            state: State::default(),
            now: ClusterTime(1_000),
            changes: Changes::default(),
            liveness: Liveness::default(),
            log: Vec::new(),
            checked: true,
        }
    }

    /// Founded, one coordinator registered with the driver, its account owned.
    pub(crate) fn founded(driver: DriverSpec) -> Self {
        let mut cluster = Self::empty();
        cluster.one(Command::Member(founding()));
        cluster.register(CoordinatorId(1), 1, driver);
        cluster.assign_owners();
        cluster
    }

    pub(crate) fn register(&mut self, coordinator: CoordinatorId, process: u64, driver: DriverSpec) {
        self.one(Command::Member(MemberCommand::Register {
            coordinator,
            process,
            address: format!("127.0.0.1:{}", 7000 + coordinator.0),
            raft_address: format!("127.0.0.1:{}", 8000 + coordinator.0),
            version: "test".to_owned(),
            drivers: vec![driver.describe()],
            broken: Vec::new(),
        }));
        self.liveness.alive.insert(coordinator, process);
    }

    pub(crate) fn assign_owners(&mut self) {
        let commands = owner::plan(&self.view(), &self.liveness);
        self.apply(commands.into_iter().map(Command::Plan).collect());
    }

    pub(crate) fn view(&self) -> View<'_> {
        View { state: &self.state, now: self.now }
    }

    pub(crate) fn apply(&mut self, commands: Vec<Command>) -> Vec<Reply> {
        let entry = Entry { time: self.now, commands };
        let (replies, changes) = apply(&mut self.state, &entry);
        assert_eq!(replies.len(), entry.commands.len(), "one reply per command");
        self.changes.merge(changes);
        if self.checked {
            self.check(&entry);
            self.log.push(entry);
        }
        replies
    }

    pub(crate) fn one(&mut self, command: Command) -> Reply {
        self.apply(vec![command]).remove(0)
    }

    pub(crate) fn request(&mut self, command: RequestCommand) -> Reply {
        self.one(Command::Request(command))
    }

    pub(crate) fn accepted(&mut self, command: RequestCommand) -> OperationId {
        match self.request(command) {
            Reply::Accepted(operation) => operation,
            other => panic!("not accepted: {other:?}"),
        }
    }

    /// The plan for what has changed since the last one.
    pub(crate) fn plan(&mut self) -> Plan {
        let changes = std::mem::take(&mut self.changes);
        self.view().plan(&changes)
    }

    pub(crate) fn host(&self, name: &str) -> &Host {
        let id = self.state.index.host_names.get(&host_name(name)).expect("the host is there");
        self.state.hosts.get(id).expect("the index is right")
    }

    pub(crate) fn id(&self, name: &str) -> HostId {
        self.host(name).id
    }

    pub(crate) fn operation(&self, id: OperationId) -> &Operation {
        self.state.operations.get(&id).expect("the operation is kept")
    }

    /// Opens the one create that is planned, with a token for each slot.
    pub(crate) fn open_create(&mut self, tokens: &[Digest]) -> IntentId {
        let wish = self.plan().wishes.remove(0);
        let WishKind::Create(template) = wish.kind else { panic!("not a create") };
        let slots = tokens.iter().map(|token| NewSlot { token: *token }).collect();
        let intent = NewIntent::Create { template, slots, sealed_bootstrap: Vec::new() };
        let (guards, account, shard) = (wish.guards, wish.account, wish.shard);
        self.one(Command::Plan(PlanCommand::OpenIntent { guards, account, shard, intent }));
        *self.state.intents.keys().next().expect("an open intent")
    }

    /// Changes one host's record directly, for tables; the index is made anew.
    pub(crate) fn with_host(&mut self, name: &str, change: impl FnOnce(&mut Host)) {
        let mut host = self.host(name).clone();
        change(&mut host);
        self.state.hosts.insert(host.id, host.into());
        self.state = std::mem::take(&mut self.state).reindexed();
    }

    /// A swarm's members as given: each is put where the table wants it.
    pub(crate) fn with_swarm(&mut self, change: impl FnOnce(&mut Swarm)) {
        let mut swarm = self.swarm().clone();
        change(&mut swarm);
        self.state.swarms.insert(swarm.id, swarm.into());
    }

    pub(crate) fn swarm(&self) -> &Swarm {
        self.state.swarms.values().next().expect("there is a swarm")
    }

    pub(crate) fn step(&self, host: &str) -> Step {
        next_step(self.host(host), &self.view())
    }

    fn check(&self, entry: &Entry) {
        let anew = self.state.clone().reindexed().index;
        assert_eq!(self.state.index, anew, "the index went wrong with {entry:?}");
        self.check_items();
        for host in self.state.hosts.values() {
            if let Some(intent) = host.intent() {
                let open = self.state.intents.get(&intent);
                assert!(
                    open.is_some_and(|open| open.hosts().contains(&host.id)),
                    "{} is in a closed intent",
                    host.name
                );
            }
        }
    }

    /// Every item of an operation is counted once, or waited for.
    fn check_items(&self) {
        let mut waiting: BTreeMap<OperationId, u32> = BTreeMap::new();
        for (operation, _) in &self.state.index.items {
            *waiting.entry(*operation).or_default() += 1;
        }
        for operation in self.state.operations.values() {
            let waiting = waiting.remove(&operation.id).unwrap_or(0);
            assert_eq!(
                operation.done + operation.failed + waiting,
                operation.items,
                "items of {operation:?}: {waiting} are waited for"
            );
            assert_eq!(operation.state.finished(), waiting == 0, "{operation:?}");
        }
        assert!(waiting.is_empty(), "items of operations that are gone: {waiting:?}");
    }
}

pub(crate) fn founding() -> MemberCommand {
    let issuer = || SealedIssuer { certificate_der: Vec::new(), sealed_key: Vec::new() };
    MemberCommand::Found(Box::new(Founding {
        cluster: "3f0c".parse().expect("a cluster id"),
        issuers: Issuers { raft: issuer(), control: issuer(), docker: issuer() },
        address: "127.0.0.1:7001".to_owned(),
        raft_address: "127.0.0.1:8001".to_owned(),
        control_key: digest(1),
        raft_key: digest(2),
        admin: person(),
    }))
}
