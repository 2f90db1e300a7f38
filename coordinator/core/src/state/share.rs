//! What each of an account's owners may do, so that all of them together keep to its limits.

use std::collections::BTreeMap;
use std::time::Duration;

use skep_types::{Bucket, CallClass, CoordinatorId, HostId, Limits};

use super::{Account, Shard};

/// Of one coordinator, of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The shards that it owns, with the epoch of each.
    pub shards: BTreeMap<Shard, u64>,
    /// Its part of the account's.
    pub limits: Limits,
}

impl Account {
    pub fn shard_of(&self, host: HostId) -> Shard {
        Shard::try_from(host.counter % u64::from(self.shards())).unwrap_or(0)
    }

    /// At least one.
    pub(crate) fn shards(&self) -> u32 {
        u32::try_from(self.owners.len()).unwrap_or(1).max(1)
    }

    /// Every shard has the same part of each bucket, to a token: whoever owns several has theirs together.
    pub fn share(&self, coordinator: CoordinatorId) -> Share {
        let owned = (0..).zip(&self.owners).filter_map(|(shard, owner)| {
            let owner = owner.as_ref().filter(|owner| owner.coordinator == coordinator)?;
            Some((shard, owner.epoch))
        });
        let shards: BTreeMap<Shard, u64> = owned.collect();
        let part = |whole: u32| shards.keys().map(|shard| part(whole, *shard, self.shards())).sum();
        let parts = |buckets: BTreeMap<CallClass, Bucket>| -> BTreeMap<CallClass, Bucket> {
            let part = |(class, bucket): (CallClass, Bucket)| {
                (class, Bucket { per_minute: part(bucket.per_minute), burst: part(bucket.burst) })
            };
            buckets.into_iter().map(part).collect()
        };
        let whole = self.limits();
        let limits = Limits { calls: parts(whole.calls), instances: parts(whole.instances) };
        Share { shards, limits }
    }

    /// For how long nobody had called for any of this owner's shards when it took them over.
    pub fn idle(&self, coordinator: CoordinatorId) -> Duration {
        let owned = self.owners.iter().flatten().filter(|owner| owner.coordinator == coordinator);
        owned.map(|owner| owner.idle.unwrap_or_default()).min().unwrap_or_default()
    }

    /// The smallest number in its limits: an account has at most as many shards, as none can do without a token.
    pub(crate) fn shards_max(&self) -> u32 {
        let limits = self.limits();
        let buckets = limits.calls.values().chain(limits.instances.values());
        buckets.map(|bucket| bucket.per_minute.min(bucket.burst)).min().unwrap_or(u32::MAX).max(1)
    }
}

/// The parts of all shards are the whole. A driver that says less than one a shard, later than the shards were made, is
/// asked a little more than it says.
fn part(whole: u32, shard: Shard, shards: u32) -> u32 {
    let rest = u32::from(u32::from(shard) < whole % shards);
    (whole / shards + rest).max(1)
}
