//! Coordinators and people as people see them.

use std::collections::HashMap;

use skep_core::State;
use skep_core::state::Person;
use skep_proto::v1 as pb;
use skep_types::PersonRole;

pub(in crate::api) fn person(person: &Person) -> pb::Person {
    let role = match person.role {
        PersonRole::Admin => pb::PersonRole::Admin,
        PersonRole::Operator => pb::PersonRole::Operator,
        PersonRole::Viewer => pb::PersonRole::Viewer,
    };
    pb::Person {
        name: person.name.to_string(),
        role: role.into(),
        certificate_generation: person.certificate_generation,
    }
}

/// How many hosts are in which phase.
pub(in crate::api) fn phases(state: &State) -> HashMap<String, u64> {
    let mut phases: HashMap<String, u64> = HashMap::new();
    for host in state.hosts.values() {
        *phases.entry(host.phase.label().to_owned()).or_default() += 1;
    }
    phases
}
