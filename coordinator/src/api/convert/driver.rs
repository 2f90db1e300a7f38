//! What can make hosts, as people see it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use skep_core::State;
use skep_core::state::{BrokenProgram, Coordinator};
use skep_proto::v1 as pb;
use skep_types::{
    Bucket, CallClass, CredentialDescription, DriverDescription, DriverName, FlagDescription, FlagKind,
    Idempotency, Limits, SlotNaming, WayIn,
};

use super::account;

/// Every driver that a coordinator has or an account of `state` uses.
pub(in crate::api) fn list(state: &State) -> Vec<pb::Driver> {
    let known = state.drivers.values().map(|driver| (&driver.name, write(driver, state)));
    let mut drivers: BTreeMap<&DriverName, pb::Driver> = known.collect();
    for account in state.accounts.values() {
        let driver = drivers.entry(&account.driver.name).or_insert_with(|| write(&account.driver, state));
        driver.accounts.push(account::write(account));
    }
    drivers.into_values().collect()
}

fn write(driver: &DriverDescription, state: &State) -> pb::Driver {
    let has =
        |coordinator: &&Arc<Coordinator>| !coordinator.removed && coordinator.drivers.contains(&driver.name);
    pb::Driver {
        name: driver.name.to_string(),
        flags: driver.flags.iter().map(flag).collect(),
        idempotency: idempotency(driver.idempotency).to_owned(),
        token_retention_ms: match driver.idempotency {
            Idempotency::Token { retention } => milliseconds(retention),
            Idempotency::UniqueName | Idempotency::None => 0,
        },
        batch_max: driver.batch.max,
        power: driver.power.label().to_owned(),
        coordinators: state.coordinators.values().filter(has).map(|has| has.id.to_string()).collect(),
        accounts: Vec::new(),
        console: driver.console,
        named_slots: driver.batch.naming == SlotNaming::Named,
        calls_in_flight_max: driver.calls_in_flight_max,
        settle_ms: milliseconds(driver.settle),
        way_in: match driver.way_in {
            WayIn::UserData => "user-data".to_owned(),
            WayIn::Ssh => "ssh".to_owned(),
        },
        account_flags: driver.account_flags.iter().map(flag).collect(),
        credentials: driver.credentials.iter().map(credential).collect(),
        limits: limits(&driver.limits),
        adopts: driver.adopts,
        attests: driver.attests,
        tunnels: driver.tunnels,
        addresses_change: driver.addresses_change,
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Programs that coordinators found and cannot use, as each said when it looked last.
pub(in crate::api) fn broken(state: &State) -> Vec<pb::BrokenDriver> {
    let of = |coordinator: &Arc<Coordinator>| {
        let one = |broken: &BrokenProgram| pb::BrokenDriver {
            name: broken.name.clone(),
            coordinator: coordinator.id.to_string(),
            program: broken.program.clone(),
            reason: broken.reason.clone(),
        };
        coordinator.broken.iter().map(one).collect::<Vec<_>>()
    };
    state.coordinators.values().filter(|coordinator| !coordinator.removed).flat_map(of).collect()
}

fn credential(credential: &CredentialDescription) -> pb::DriverCredential {
    pb::DriverCredential {
        name: credential.name.clone(),
        usage: credential.usage.clone(),
        env: credential.env.clone(),
        required: credential.required,
    }
}

fn limits(limits: &Limits) -> Vec<pb::DriverLimit> {
    let all = |buckets: &BTreeMap<CallClass, Bucket>, per_instance| {
        let one = |(class, bucket): (&CallClass, &Bucket)| pb::DriverLimit {
            class: class.label().to_owned(),
            per_instance,
            per_minute: bucket.per_minute,
            burst: bucket.burst,
        };
        buckets.iter().map(one).collect::<Vec<_>>()
    };
    [all(&limits.calls, false), all(&limits.instances, true)].concat()
}

fn flag(flag: &FlagDescription) -> pb::DriverFlag {
    let kind = match flag.kind {
        FlagKind::String => "string",
        FlagKind::Integer => "integer",
        FlagKind::Boolean => "boolean",
        FlagKind::StringList => "list",
    };
    pb::DriverFlag {
        name: flag.name.clone(),
        kind: kind.to_owned(),
        usage: flag.usage.clone(),
        default_value: flag.default.clone(),
        env: flag.env.clone(),
    }
}

fn idempotency(class: Idempotency) -> &'static str {
    match class {
        Idempotency::Token { .. } => "token",
        Idempotency::UniqueName => "unique-name",
        Idempotency::None => "none",
    }
}

#[cfg(test)]
mod tests;
