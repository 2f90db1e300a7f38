//! Accounts as people see them: without what is secret.

use std::collections::BTreeMap;

use skep_core::State;
use skep_core::state::{Account, CredentialSource, Owner};
use skep_proto::v1 as pb;
use skep_types::{AccountName, Bucket, CallClass};

pub(in crate::api) fn list(state: &State) -> Vec<pb::Account> {
    let mut hosts: BTreeMap<&AccountName, u64> = BTreeMap::new();
    for host in state.hosts.values() {
        *hosts.entry(&host.template.account).or_default() += 1;
    }
    let with = |account: &Account| pb::Account {
        hosts: hosts.get(&account.name).copied().unwrap_or(0),
        ..write(account)
    };
    state.accounts.values().map(|account| with(account)).collect()
}

/// Shards may have different owners: all are named, each once.
pub(in crate::api) fn write(account: &Account) -> pb::Account {
    let owners: Vec<&Owner> = account.owners.iter().flatten().collect();
    let mut names: Vec<_> = owners.iter().map(|owner| owner.coordinator).collect();
    names.sort_unstable();
    names.dedup();
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let (credentials, credential_command) = source(&account.settings.credentials);
    pb::Account {
        name: account.name.to_string(),
        owner: names.join(","),
        owner_epoch: owners.iter().map(|owner| owner.epoch).max().unwrap_or(0),
        revision: account.revision.to_string(),
        driver: account.driver.name.to_string(),
        options: account.settings.options.clone(),
        credentials,
        credential_command,
        limits: Some(limits(account)),
        coordinators: account.settings.coordinators.iter().map(ToString::to_string).collect(),
        hosts: 0,
    }
}

fn source(source: &CredentialSource) -> (Vec<String>, Option<pb::CredentialCommand>) {
    match source {
        CredentialSource::Stored { sealed } => (sealed.keys().cloned().collect(), None),
        CredentialSource::Command { name, arguments } => {
            (Vec::new(), Some(pb::CredentialCommand { name: name.clone(), arguments: arguments.clone() }))
        }
    }
}

fn limits(account: &Account) -> pb::AccountLimits {
    let all = |buckets: BTreeMap<CallClass, Bucket>| {
        let one = |(class, bucket): (CallClass, Bucket)| {
            let bucket = pb::Bucket { per_minute: bucket.per_minute, burst: bucket.burst };
            (class.label().to_owned(), bucket)
        };
        buckets.into_iter().map(one).collect()
    };
    let limits = account.limits();
    pb::AccountLimits {
        calls: all(limits.calls),
        instances: all(limits.instances),
        calls_in_flight_max: account.calls_in_flight_max(),
    }
}
