//! Short ways to say commands.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use skep_core::Command;
use skep_core::command::{CreateHosts, CreateSwarm, Request, RequestCommand, RequestMeta};
use skep_types::{
    Batch, Digest, DriverDescription, HostId, HostName, Idempotency, Limits, OnFailure, PersonName, Policy,
    PowerActions, SlotNaming, Template, WayIn,
};

#[derive(Debug, Clone, Copy)]
pub(crate) struct DriverSpec {
    pub(crate) name: &'static str,
    pub(crate) idempotency: Idempotency,
    pub(crate) batch: u32,
    pub(crate) naming: SlotNaming,
    pub(crate) in_flight: u32,
}

impl DriverSpec {
    pub(crate) const TOKEN: Self = Self {
        name: "sim",
        idempotency: Idempotency::Token { retention: Duration::from_secs(3600) },
        batch: 4,
        naming: SlotNaming::Named,
        in_flight: 4,
    };
    pub(crate) const SHARED: Self = Self { naming: SlotNaming::Interchangeable, ..Self::TOKEN };
    pub(crate) const UNIQUE: Self = Self { idempotency: Idempotency::UniqueName, ..Self::TOKEN };
    pub(crate) const NONE: Self = Self { idempotency: Idempotency::None, batch: 1, ..Self::TOKEN };
    pub(crate) const ALL: [Self; 4] = [Self::TOKEN, Self::SHARED, Self::UNIQUE, Self::NONE];

    pub(crate) fn describe(self) -> DriverDescription {
        DriverDescription {
            name: self.name.parse().expect("a driver's name"),
            flags: Vec::new(),
            account_flags: Vec::new(),
            credentials: Vec::new(),
            way_in: WayIn::UserData,
            idempotency: self.idempotency,
            batch: Batch { max: self.batch, naming: self.naming },
            calls_in_flight_max: self.in_flight,
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
}

pub(crate) fn template() -> Arc<Template> {
    Arc::new(Template {
        driver: "sim".parse().expect("a driver's name"),
        account: "sim".parse().expect("an account's name"),
        options: BTreeMap::new(),
        labels: BTreeMap::from([("zone".to_owned(), "a".to_owned())]),
    })
}

pub(crate) fn person() -> PersonName {
    "ada".parse().expect("a person's name")
}

pub(crate) fn host_name(name: &str) -> HostName {
    name.parse().expect("a host's name")
}

pub(crate) fn digest(of: u64) -> Digest {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&of.to_be_bytes());
    Digest(bytes)
}

/// `id` is the request's id, and stands for its body too.
pub(crate) fn request(id: &str, request: Request) -> RequestCommand {
    let body = id.bytes().fold(7, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    RequestCommand {
        meta: RequestMeta {
            request_id: id.parse().expect("a request id"),
            body: digest(body),
            actor: person(),
            generation: u64::MAX,
            peer: "192.0.2.1:4711".to_owned(),
            method: "Test".to_owned(),
            if_revision: None,
        },
        request,
    }
}

pub(crate) fn create_hosts(name: &str, count: u32) -> CreateHosts {
    CreateHosts {
        shares: vec![template().into()],
        name: host_name(name),
        count,
        min_count: 0,
        policy: Policy::BestEffort,
        max_failures: None,
        on_failure: OnFailure::Keep,
    }
}

pub(crate) fn create_swarm(name: &str, managers: u32, workers: u32) -> CreateSwarm {
    CreateSwarm {
        shares: vec![template().into()],
        name: name.parse().expect("a swarm's name"),
        managers,
        workers,
        policy: Policy::BestEffort,
        on_failure: OnFailure::Keep,
    }
}

pub(crate) fn delete_hosts(id: &str, hosts: Vec<HostId>) -> Command {
    Command::Request(request(id, Request::DeleteHosts { hosts, force: false }))
}
