//! What can make hosts, as people see it.

use std::collections::BTreeMap;

use skep_core::State;
use skep_core::state::{Account, Owner};
use skep_proto::v1 as pb;
use skep_types::{DriverDescription, DriverName, FlagDescription, FlagKind, Idempotency};

/// Every driver that some account of `state` uses.
pub(in crate::api) fn list(state: &State) -> Vec<pb::Driver> {
    let mut drivers: BTreeMap<&DriverName, pb::Driver> = BTreeMap::new();
    for account in state.accounts.values() {
        let driver = drivers.entry(&account.driver.name).or_insert_with(|| write(&account.driver, state));
        driver.accounts.push(self::account(account));
    }
    drivers.into_values().collect()
}

fn write(driver: &DriverDescription, state: &State) -> pb::Driver {
    let has = |coordinator: &&std::sync::Arc<skep_core::state::Coordinator>| {
        !coordinator.removed && coordinator.drivers.contains(&driver.name)
    };
    pb::Driver {
        name: driver.name.to_string(),
        flags: driver.flags.iter().map(flag).collect(),
        idempotency: idempotency(driver.idempotency).to_owned(),
        batch_max: driver.batch.max,
        power: driver.power,
        coordinators: state.coordinators.values().filter(has).map(|has| has.id.to_string()).collect(),
        accounts: Vec::new(),
    }
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

/// Shards may have different owners: all are named, each once.
fn account(account: &Account) -> pb::Account {
    let owners: Vec<&Owner> = account.owners.iter().flatten().collect();
    let mut names: Vec<_> = owners.iter().map(|owner| owner.coordinator).collect();
    names.sort_unstable();
    names.dedup();
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    pb::Account {
        name: account.name.to_string(),
        owner: names.join(","),
        owner_epoch: owners.iter().map(|owner| owner.epoch).max().unwrap_or(0),
    }
}
