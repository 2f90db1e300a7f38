//! Mutations that people ask for. Each carries its audit record's facts, so that both are in one entry.

use std::sync::Arc;

use skep_types::{
    AccountName, ClusterTime, CoordinatorId, Digest, DriverName, HostId, HostName, OnFailure, PersonName,
    PersonRole, Policy, PowerAction, RequestId, Revision, SwarmId, SwarmName, Template,
};

use crate::state::{AccountLimits, AccountSettings, CredentialSource};

#[derive(Debug, Clone, PartialEq)]
pub struct RequestCommand {
    pub meta: RequestMeta,
    pub request: Request,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RequestMeta {
    pub request_id: RequestId,
    /// Of the request as it came, without its `mutation` field.
    pub body: Digest,
    pub actor: PersonName,
    /// Of the actor's certificate: a dismissed one is refused here too.
    pub generation: u64,
    pub peer: String,
    pub method: String,
    pub if_revision: Option<Revision>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    CreateHosts(CreateHosts),
    CreateSwarm(CreateSwarm),
    DeleteHosts { hosts: Vec<HostId>, force: bool },
    DeleteSwarm { swarm: SwarmId },
    PowerHosts { hosts: Vec<HostId>, action: PowerAction },
    PutPerson { name: PersonName, role: PersonRole, dismiss_certificates: bool },
    RemovePerson { name: PersonName },
    CreateJoinToken { token: Digest, expires_at: ClusterTime },
    RemoveCoordinator { coordinator: CoordinatorId },
    AddAccount(AddAccount),
    RemoveAccount { account: AccountName },
    SetAccountLimits { account: AccountName, limits: AccountLimits },
    RotateCredentials { account: AccountName, credentials: CredentialSource },
}

#[derive(Debug, Clone, PartialEq)]
pub struct AddAccount {
    pub account: AccountName,
    pub driver: DriverName,
    pub settings: AccountSettings,
    /// All settings of an account that is there, instead of a new one.
    pub replace: bool,
}

/// Some of a request's hosts, all of one template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    pub template: Arc<Template>,
    /// How many of the hosts, in proportion to the other shares; 0 counts as 1.
    pub weight: u32,
    /// No more than this many; None for no cap.
    pub max: Option<u32>,
}

impl From<Arc<Template>> for Share {
    fn from(template: Arc<Template>) -> Self {
        Self { template, weight: 1, max: None }
    }
}

/// `apply` makes `count` hosts of it: the log carries the wish, not a list.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateHosts {
    /// At least one.
    pub shares: Vec<Share>,
    /// The name for one host, the prefix for several.
    pub name: HostName,
    pub count: u32,
    pub min_count: u32,
    pub policy: Policy,
    pub max_failures: Option<u32>,
    pub on_failure: OnFailure,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CreateSwarm {
    /// At least one.
    pub shares: Vec<Share>,
    pub name: SwarmName,
    pub managers: u32,
    pub workers: u32,
    pub policy: Policy,
    pub on_failure: OnFailure,
}
