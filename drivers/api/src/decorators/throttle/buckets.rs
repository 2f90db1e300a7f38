//! The buckets of one account, as its limits are now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use skep_types::{Bucket, CallClass, IntentId, Limits};
use tokio_util::sync::CancellationToken;

use super::Begin;
use super::level::{Level, time_for};
use super::queue::Place;
use crate::Call;

/// Creates whose instances are paid for, of which the oldest are forgotten: more than can be Open at once.
const PAID_MAX: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Buckets {
    pub(super) calls: BTreeMap<CallClass, Level>,
    pub(super) instances: BTreeMap<CallClass, Level>,
    pub(super) paid: Mutex<BTreeSet<IntentId>>,
    pub(super) newest_begun: Option<IntentId>,
    /// Others hold now.
    pub(super) replaced: CancellationToken,
}

impl Buckets {
    pub(super) fn new(limits: &Limits, begin: Begin) -> Self {
        let (spent, paid, newest_begun) = match begin {
            Begin::Full => (None, BTreeSet::new(), None),
            Begin::After { idle, made, paid, newest } => (Some((idle, made)), paid, newest),
        };
        let unknown = |bucket: &Bucket| match spent {
            None => Level::less(*bucket, 0),
            Some((None, _)) => Level::less(*bucket, bucket.burst),
            Some((Some(idle), _)) => Level::gained(*bucket, idle.saturating_add(time_for(*bucket, 1))),
        };
        let call = |(class, bucket): (&CallClass, &Bucket)| (*class, unknown(bucket));
        let instance = |(class, bucket): (&CallClass, &Bucket)| match (class, spent) {
            (CallClass::Create, Some((_, made))) => (*class, Level::less(*bucket, made)),
            _ => (*class, unknown(bucket)),
        };
        let calls = limits.calls.iter().map(call).collect();
        let instances = limits.instances.iter().map(instance).collect();
        Self { calls, instances, paid: Mutex::new(paid), newest_begun, replaced: CancellationToken::new() }
    }

    /// Comes back when the call has paid all it has to. Whoever gives up before has paid for nothing.
    pub(super) async fn admit(&self, call: Call) {
        // It makes nothing, and the create it asks about has paid.
        if call.lost {
            return;
        }
        let Some(class) = call.method.class() else { return };
        let place = Place::of(call.intent, self.newest_begun);
        if let Some(level) = self.calls.get(&class) {
            level.take(place, 1).await;
        }
        let Some(level) = self.instances.get(&class) else { return };
        if call.intent.is_some_and(|intent| self.paid().contains(&intent)) {
            return;
        }
        level.take(place, u32::try_from(call.instances).unwrap_or(u32::MAX)).await;
        if let Some(intent) = call.intent {
            let mut paid = self.paid();
            paid.insert(intent);
            while paid.len() > PAID_MAX {
                paid.pop_first();
            }
        }
    }

    /// The bucket that such a call has paid.
    pub(super) fn payee(&self, call: Call) -> Option<&Level> {
        call.method.class().and_then(|class| self.calls.get(&class)).filter(|_| !call.lost)
    }

    /// Every change is whole while the lock is held.
    fn paid(&self) -> MutexGuard<'_, BTreeSet<IntentId>> {
        self.paid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
