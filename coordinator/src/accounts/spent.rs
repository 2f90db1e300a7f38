//! What buckets hold for an owner that is not the first: what the log shows as made is spent. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use skep_core::State;
use skep_core::state::{Account, IntentKind, Share};
use skep_driver::decorators::Begin;
use skep_types::{Bucket, CallClass, ClusterTime, IntentId};

/// Of one owner's share, which pays for the hosts of its shards, when nobody has called for `idle`.
pub(super) fn begin(
    state: &State,
    account: &Account,
    share: &Share,
    idle: Option<Duration>,
    now: ClusterTime,
) -> Begin {
    let open = state.intents.values().filter(|intent| intent.account == account.name);
    let open = open.filter(|intent| share.shards.contains_key(&intent.shard));
    let open: Vec<_> = open
        .filter_map(|intent| match &intent.kind {
            IntentKind::Create { slots, .. } => Some((intent.id, slots.len())),
            IntentKind::Power { .. } | IntentKind::Destroy { .. } => None,
        })
        .collect();
    let newest = open.last().map(|(intent, _)| *intent);
    let Some(bucket) = share.limits.instances.get(&CallClass::Create) else {
        return Begin::After { idle, made: 0, paid: BTreeSet::new(), newest };
    };
    let hosts = state.hosts.values().filter(|host| host.template.account == account.name);
    let hosts = hosts.filter(|host| share.shards.contains_key(&account.shard_of(host.id)));
    let instances = hosts.filter_map(|host| host.instance.as_ref());
    // Those of an Open intent count with it.
    let closed = instances.filter(|instance| !state.intents.contains_key(&instance.intent));
    let (made, paid) = weigh(*bucket, now, closed.map(|instance| instance.bound_at), open.into_iter());
    Begin::After { idle, made, paid, newest }
}

/// `bound` is when instances came to be known, `open` the creates without an outcome, oldest first, with their sizes.
fn weigh(
    bucket: Bucket,
    now: ClusterTime,
    bound: impl Iterator<Item = ClusterTime>,
    open: impl Iterator<Item = (IntentId, usize)>,
) -> (u32, BTreeSet<IntentId>) {
    let window = Duration::from_secs(60) * bucket.burst / bucket.per_minute.max(1);
    let recent = bound.filter(|at| now.since(*at) < window).count();
    let mut made = u32::try_from(recent).unwrap_or(u32::MAX);
    let mut paid = BTreeSet::new();
    for (intent, size) in open {
        let with = made.saturating_add(u32::try_from(size).unwrap_or(u32::MAX));
        // The owners before could not have paid for more; what comes after that pays when it is tried.
        if with > bucket.burst {
            break;
        }
        made = with;
        paid.insert(intent);
    }
    (made, paid)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills in ten seconds.
    const BUCKET: Bucket = Bucket { per_minute: 60, burst: 10 };

    fn weighed(bound: &[u64], open: &[usize]) -> (u32, usize) {
        let start = ClusterTime::default();
        let now = start.after(Duration::from_secs(100));
        let bound = bound.iter().map(|ago| start.after(Duration::from_secs(100 - ago)));
        let open = (1..).zip(open).map(|(counter, size)| (IntentId::new(1, counter), *size));
        let (made, paid) = weigh(BUCKET, now, bound, open);
        (made, paid.len())
    }

    #[test]
    fn instances_of_the_time_in_which_the_bucket_fills_are_spent() {
        assert_eq!(weighed(&[10, 9, 0], &[]), (2, 0));
    }

    #[test]
    fn open_creates_are_spent_as_far_as_the_bucket_could_pay_for_them() {
        assert_eq!(weighed(&[1, 1], &[4, 4, 4]), (10, 2));
        assert_eq!(weighed(&[1, 1], &[11]), (2, 0));
    }
}
