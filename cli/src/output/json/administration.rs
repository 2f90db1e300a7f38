//! The cluster, its people, drivers and events.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use skep_proto::v1::{ClusterStatus, Coordinator, Driver, Event, Person, PersonRole};

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
    let flags: Vec<Value> = driver
        .flags
        .iter()
        .map(|flag| {
            json!({
                "name": flag.name,
                "kind": flag.kind,
                "usage": flag.usage,
                "default_value": flag.default_value,
                "env": flag.env,
            })
        })
        .collect();
    let accounts: Vec<Value> = driver
        .accounts
        .iter()
        .map(|account| json!({"name": account.name, "owner": account.owner, "owner_epoch": account.owner_epoch}))
        .collect();
    json!({
        "name": driver.name,
        "idempotency": driver.idempotency,
        "batch_max": driver.batch_max,
        "power": driver.power,
        "coordinators": driver.coordinators,
        "accounts": accounts,
        "flags": flags,
    })
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
