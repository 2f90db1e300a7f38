//! The cluster, its people, drivers and events.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use skep_proto::v1::{
    Account, BrokenDriver, Bucket, ClusterStatus, Coordinator, Driver, DriverFlag, Event, Person, PersonRole,
};

pub(crate) fn cluster(status: &ClusterStatus) -> Value {
    json!({
        "cluster": status.cluster,
        "epoch": status.epoch,
        "coordinator": status.coordinator,
        "leader": status.leader,
        "term": status.term,
        "coordinators": status.coordinators.iter().map(coordinator).collect::<Vec<_>>(),
        "hosts": status.hosts,
        "phases": status.phases.iter().collect::<BTreeMap<_, _>>(),
        "swarms": status.swarms,
        "running_operations": status.running_operations,
        "revision": status.revision,
        "log_last": status.log_last,
        "log_first": status.log_first,
        "log_snapshot": status.log_snapshot,
    })
}

fn coordinator(coordinator: &Coordinator) -> Value {
    json!({
        "id": coordinator.id,
        "address": coordinator.address,
        "raft_address": coordinator.raft_address,
        "membership": coordinator.membership,
        "leader": coordinator.leader,
        "agents": coordinator.agents,
        "alive": coordinator.alive,
        "drivers": coordinator.drivers,
        "version": coordinator.version,
    })
}

pub(crate) fn person(person: &Person) -> Value {
    json!({
        "name": person.name,
        "role": role(person.role()),
        "certificate_generation": person.certificate_generation,
    })
}

pub(crate) fn role(role: PersonRole) -> &'static str {
    match role {
        PersonRole::Admin => "admin",
        PersonRole::Operator => "operator",
        PersonRole::Viewer => "viewer",
        PersonRole::Unspecified => "",
    }
}

pub(crate) fn driver(driver: &Driver) -> Value {
    let accounts: Vec<Value> = driver
        .accounts
        .iter()
        .map(|account| json!({"name": account.name, "owner": account.owner, "owner_epoch": account.owner_epoch}))
        .collect();
    let credentials: Vec<Value> = driver
        .credentials
        .iter()
        .map(|one| json!({"name": one.name, "usage": one.usage, "env": one.env, "required": one.required}))
        .collect();
    let limits: Vec<Value> = driver
        .limits
        .iter()
        .map(|one| {
            json!({
                "class": one.class,
                "per_instance": one.per_instance,
                "per_minute": one.per_minute,
                "burst": one.burst,
            })
        })
        .collect();
    json!({
        "name": driver.name,
        "idempotency": driver.idempotency,
        "token_retention_ms": driver.token_retention_ms,
        "batch_max": driver.batch_max,
        "power": driver.power,
        "coordinators": driver.coordinators,
        "accounts": accounts,
        "console": driver.console,
        "named_slots": driver.named_slots,
        "calls_in_flight_max": driver.calls_in_flight_max,
        "settle_ms": driver.settle_ms,
        "way_in": driver.way_in,
        "adopts": driver.adopts,
        "attests": driver.attests,
        "tunnels": driver.tunnels,
        "addresses_change": driver.addresses_change,
        "flags": driver_flags(&driver.flags),
        "account_flags": driver_flags(&driver.account_flags),
        "credentials": credentials,
        "limits": limits,
    })
}

/// Usable nowhere, for whoever looks where: a program of the same name may be, elsewhere.
pub(crate) fn broken_driver(broken: &BrokenDriver) -> Value {
    json!({
        "name": broken.name,
        "coordinators": [],
        "broken": broken.reason,
        "coordinator": broken.coordinator,
        "program": broken.program,
    })
}

fn driver_flags(flags: &[DriverFlag]) -> Vec<Value> {
    let one = |flag: &DriverFlag| {
        json!({
            "name": flag.name,
            "kind": flag.kind,
            "usage": flag.usage,
            "default_value": flag.default_value,
            "env": flag.env,
        })
    };
    flags.iter().map(one).collect()
}

pub(crate) fn account(account: &Account) -> Value {
    let command = account.credential_command.as_ref();
    let limits = account.limits.clone().unwrap_or_default();
    json!({
        "name": account.name,
        "driver": account.driver,
        "revision": account.revision,
        "owner": account.owner,
        "owner_epoch": account.owner_epoch,
        "options": account.options,
        "credentials": account.credentials,
        "credential_command": command.map(|command| json!({"name": command.name, "arguments": command.arguments})),
        "limits": {
            "calls": buckets(&limits.calls),
            "instances": buckets(&limits.instances),
            "calls_in_flight_max": limits.calls_in_flight_max,
        },
        "coordinators": account.coordinators,
        "hosts": account.hosts,
    })
}

fn buckets(buckets: &BTreeMap<String, Bucket>) -> BTreeMap<&str, Value> {
    let one = |bucket: &Bucket| json!({"per_minute": bucket.per_minute, "burst": bucket.burst});
    buckets.iter().map(|(class, bucket)| (class.as_str(), one(bucket))).collect()
}

pub(crate) fn event(event: &Event) -> Value {
    json!({
        "revision": event.revision,
        "subject_kind": event.subject_kind,
        "subject_id": event.subject_id,
        "subject_name": event.subject_name,
        "reason": event.reason,
        "message": event.message,
        "age_ms": event.age_ms,
    })
}
