//! The replicated state: one record per thing, in persistent maps, so that a clone is cheap enough to be taken for
//! every reader and every snapshot.

mod account;
mod cluster;
mod event;
mod host;
mod intent;
mod operation;
mod share;
mod swarm;

use std::sync::Arc;

use imbl::{OrdMap, OrdSet, Vector};
use skep_types::{
    AccountName, ClusterTime, CoordinatorId, Digest, DriverDescription, DriverName, HostId, HostName,
    IntentId, NodeId, OperationId, PersonName, RequestId, Revision, SwarmId, SwarmName,
};

pub use account::{Account, AccountLimits, AccountSettings, CredentialSource, Owner, Shard};
pub use cluster::{BrokenProgram, Cluster, Coordinator, Issuers, JoinToken, Person};
pub use event::{AuditRecord, Event, Subject};
pub use host::{
    Conditions, Desired, Enrolment, Facts, Host, Instance, Membership, NodeChange, Permit, Session, Task,
};
pub use intent::{Intent, IntentKind, IntentSlot, Target};
pub use operation::{CreateRule, FailureGroup, Operation};
pub use share::Share;
pub use swarm::{Swarm, SwarmNode};

/// Everything all coordinators agree on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// None until the cluster is made by its first entry.
    pub cluster: Option<Arc<Cluster>>,
    pub time: ClusterTime,
    /// Bumped by a restore; part of every id and revision.
    pub epoch: u32,
    /// The counter of the newest revision.
    pub revision: u64,
    /// The counter of the newest id, of any kind.
    pub last_id: u64,
    pub last_coordinator: u64,

    pub hosts: OrdMap<HostId, Arc<Host>>,
    pub swarms: OrdMap<SwarmId, Arc<Swarm>>,
    pub operations: OrdMap<OperationId, Arc<Operation>>,
    /// Open intents. A closed one is forgotten: what it made stands in the hosts, and its id is dead.
    pub intents: OrdMap<IntentId, Arc<Intent>>,
    /// As the coordinators that have them described them last.
    pub drivers: OrdMap<DriverName, Arc<DriverDescription>>,
    pub accounts: OrdMap<AccountName, Arc<Account>>,
    pub coordinators: OrdMap<CoordinatorId, Arc<Coordinator>>,
    pub people: OrdMap<PersonName, Arc<Person>>,
    pub join_tokens: OrdMap<Digest, JoinToken>,
    /// The newest ones, oldest first: what a watch can resume from.
    pub events: Vector<Arc<Event>>,
    pub audit: Vector<Arc<AuditRecord>>,

    pub index: Index,
}

/// What can be found out from the records, kept to find it quickly. Not part of a snapshot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Index {
    pub host_names: OrdMap<HostName, HostId>,
    pub swarm_names: OrdMap<SwarmName, SwarmId>,
    pub requests: OrdMap<RequestId, OperationId>,
    /// The hosts whose outcome a running operation waits for.
    pub items: OrdSet<(OperationId, HostId)>,
    /// The hosts of each swarm.
    pub members: OrdSet<(SwarmId, HostId)>,
    /// The hosts that need an intent of their account's driver, in the order they came.
    pub needy: OrdSet<(AccountName, HostId)>,
    /// How many Open intents each account has.
    pub open: OrdMap<AccountName, u32>,
    pub nodes: OrdMap<(SwarmId, NodeId), HostId>,
    /// The hosts that should have an agent and are not heard.
    pub unheard: OrdSet<HostId>,
    /// The hosts an enrolment token admits: several share one where their instances are interchangeable.
    pub tokens: OrdSet<(Digest, HostId)>,
    /// Finished operations, oldest first, for forgetting them in time.
    pub finished: OrdSet<(ClusterTime, OperationId)>,
}

impl State {
    pub fn now_revision(&self) -> Revision {
        Revision::new(self.epoch, self.revision)
    }

    pub fn host(&self, id: HostId) -> Option<&Arc<Host>> {
        self.hosts.get(&id)
    }

    /// By name, or by id.
    pub fn find_host(&self, name_or_id: &str) -> Option<&Arc<Host>> {
        let by_name = name_or_id.parse().ok().and_then(|name: HostName| self.index.host_names.get(&name));
        let id = by_name.copied().or_else(|| name_or_id.parse().ok())?;
        self.hosts.get(&id)
    }

    pub fn find_swarm(&self, name_or_id: &str) -> Option<&Arc<Swarm>> {
        let by_name = name_or_id.parse().ok().and_then(|name: SwarmName| self.index.swarm_names.get(&name));
        let id = by_name.copied().or_else(|| name_or_id.parse().ok())?;
        self.swarms.get(&id)
    }

    /// The hosts of a swarm, in the order of their ids.
    pub fn members(&self, swarm: SwarmId) -> impl Iterator<Item = &Arc<Host>> {
        let from = (swarm, HostId::new(0, 0));
        let to = (swarm, HostId::new(u32::MAX, u64::MAX));
        self.index.members.range(from..=to).filter_map(|(_, host)| self.hosts.get(host))
    }

    /// The hosts whose outcome an operation waits for.
    pub fn items(&self, operation: OperationId) -> impl Iterator<Item = &Arc<Host>> {
        let from = (operation, HostId::new(0, 0));
        let to = (operation, HostId::new(u32::MAX, u64::MAX));
        self.index.items.range(from..=to).filter_map(|(_, host)| self.hosts.get(host))
    }

    /// The hosts of an account that wait for an intent, oldest first.
    pub fn needy(&self, account: &AccountName) -> impl Iterator<Item = &Arc<Host>> {
        let from = (account.clone(), HostId::new(0, 0));
        let to = (account.clone(), HostId::new(u32::MAX, u64::MAX));
        self.index.needy.range(from..=to).filter_map(|(_, host)| self.hosts.get(host))
    }

    /// The hosts that should have an agent and are not heard.
    pub fn unheard(&self) -> impl Iterator<Item = &Arc<Host>> {
        self.index.unheard.iter().filter_map(|host| self.hosts.get(host))
    }

    /// The hosts that an enrolment token admits.
    pub fn admits(&self, token: Digest) -> impl Iterator<Item = &Arc<Host>> {
        let from = (token, HostId::new(0, 0));
        let to = (token, HostId::new(u32::MAX, u64::MAX));
        self.index.tokens.range(from..=to).filter_map(|(_, host)| self.hosts.get(host))
    }

    pub fn open_intents(&self, account: &AccountName) -> u32 {
        self.index.open.get(account).copied().unwrap_or(0)
    }

    /// The records as a snapshot gave them back, with the index made anew.
    #[must_use]
    pub fn reindexed(mut self) -> Self {
        self.index = Index::default();
        for host in self.hosts.clone().values() {
            self.index.add_host(host);
        }
        for swarm in self.swarms.values() {
            self.index.swarm_names.insert(swarm.name.clone(), swarm.id);
        }
        for operation in self.operations.clone().values() {
            self.index.requests.insert(operation.request_id.clone(), operation.id);
            if let Some(at) = operation.finished_at {
                self.index.finished.insert((at, operation.id));
            }
        }
        for intent in self.intents.values() {
            *self.index.open.entry(intent.account.clone()).or_default() += 1;
        }
        self
    }
}

impl Index {
    pub fn add_host(&mut self, host: &Host) {
        self.host_names.insert(host.name.clone(), host.id);
        if let Some(operation) = host.item_of {
            self.items.insert((operation, host.id));
        }
        if let Some(membership) = &host.membership {
            self.members.insert((membership.swarm, host.id));
            if let Some(node) = &host.node {
                self.nodes.insert((membership.swarm, node.clone()), host.id);
            }
        }
        if let Some(enrolment) = &host.enrolment {
            self.tokens.insert((enrolment.token, host.id));
        }
        if host.needs_intent() {
            self.needy.insert((host.template.account.clone(), host.id));
        }
        if host.unheard() {
            self.unheard.insert(host.id);
        }
    }

    pub fn remove_host(&mut self, host: &Host) {
        self.host_names.remove(&host.name);
        if let Some(operation) = host.item_of {
            self.items.remove(&(operation, host.id));
        }
        if let Some(membership) = &host.membership {
            self.members.remove(&(membership.swarm, host.id));
            if let Some(node) = &host.node {
                self.nodes.remove(&(membership.swarm, node.clone()));
            }
        }
        if let Some(enrolment) = &host.enrolment {
            self.tokens.remove(&(enrolment.token, host.id));
        }
        self.needy.remove(&(host.template.account.clone(), host.id));
        self.unheard.remove(&host.id);
    }
}
