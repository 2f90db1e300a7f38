//! Accounts: what they are opened with, how much they may do, and who acts for them.

use std::collections::BTreeMap;
use std::time::Duration;

use skep_types::{
    AccountName, Bucket, CallClass, CoordinatorId, DriverDescription, IntentId, Limits, Revision,
};

/// A part of an account's hosts, by host id; one coordinator owns each.
pub type Shard = u16;

#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    pub name: AccountName,
    pub revision: Revision,
    pub driver: DriverDescription,
    pub settings: AccountSettings,
    /// One owner per shard, in their order; None while nobody can act.
    pub owners: Vec<Option<Owner>>,
}

/// What people say of an account. A driver's own account has nothing of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AccountSettings {
    /// By the description's `account_flags`.
    pub options: BTreeMap<String, String>,
    pub credentials: CredentialSource,
    pub limits: AccountLimits,
    /// Those that can reach its endpoint; empty for all that have the driver.
    pub coordinators: Vec<CoordinatorId>,
}

/// Where an account's credentials come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// By name, each sealed for the account and the name.
    Stored { sealed: BTreeMap<String, Vec<u8>> },
    /// A program of the coordinator that acts prints them.
    Command { name: String, arguments: Vec<String> },
}

impl Default for CredentialSource {
    fn default() -> Self {
        Self::Stored { sealed: BTreeMap::new() }
    }
}

/// Instead of what the driver says of its endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountLimits {
    /// Only the classes that differ.
    pub buckets: Limits,
    pub calls_in_flight: Option<u32>,
}

/// The coordinator that alone may call the driver for a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    pub coordinator: CoordinatorId,
    /// Of that coordinator's process: another number means it was started anew and holds nothing.
    pub process: u64,
    /// Rises with every change of owner; outcomes of an older epoch change nothing.
    pub epoch: u64,
    /// Intents up to this one were opened before it became the owner, and may have been begun by another. None where
    /// nobody knows: any may have been.
    pub inherits: Option<IntentId>,
    /// When it became the owner, the one before had certainly made no call for so long; None where nobody knows.
    pub idle: Option<Duration>,
}

impl Account {
    pub fn owner(&self, shard: Shard) -> Option<&Owner> {
        self.owners.get(usize::from(shard)).and_then(Option::as_ref)
    }

    /// The driver's, with the account's own in their place.
    pub fn limits(&self) -> Limits {
        let with = |mut of: BTreeMap<CallClass, Bucket>, own: &BTreeMap<CallClass, Bucket>| {
            of.extend(own);
            of
        };
        let (driver, own) = (self.driver.limits.clone(), &self.settings.limits.buckets);
        Limits { calls: with(driver.calls, &own.calls), instances: with(driver.instances, &own.instances) }
    }

    /// Create, power and destroy calls that may be under way at once.
    pub fn calls_in_flight_max(&self) -> u32 {
        self.settings.limits.calls_in_flight.unwrap_or(self.driver.calls_in_flight_max)
    }

    /// Hosts of one create call: what the driver takes, and what a shard's full bucket pays for at once.
    pub fn create_batch_max(&self) -> u32 {
        let burst = self.limits().instances.get(&CallClass::Create).map_or(u32::MAX, |bucket| bucket.burst);
        self.driver.batch.max.min(burst / self.shards()).max(1)
    }

    pub fn reachable_from(&self, coordinator: CoordinatorId) -> bool {
        self.settings.coordinators.is_empty() || self.settings.coordinators.contains(&coordinator)
    }
}
