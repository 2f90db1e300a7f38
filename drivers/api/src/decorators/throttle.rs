//! No more requests than the account's endpoint takes: token buckets, one a class of calls.
//!
//! A refusal corrects what is believed of a bucket: the endpoint's is a little behind. A step later the call is made again.

mod level;
mod queue;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex as Lock, MutexGuard, PoisonError};
use std::time::Duration;

use skep_types::{Bucket, CallClass, IntentId, Limits};

use super::around::{Around, decorate};
use crate::{Call, Driver, DriverError, ErrorKind};
use level::{Level, time_for};
use queue::Place;

/// Creates whose instances are paid for, of which the oldest are forgotten: more than can be Open at once.
const PAID_MAX: usize = 4096;

/// A call that was refused is made again until a token has come in; then its caller has to wait, and at once where the driver
/// asks for a longer pause than this.
const SOON: Duration = Duration::from_secs(1);

/// What the buckets hold at first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// As much as they can: nobody has called before.
    Full,
    /// Nothing, as nobody knows what was spent before. That of instances made is the exception: those are known.
    After {
        /// Where another owner called before: for how long nobody had, when this one took over. What came in since is there,
        /// and a token more is tried for: a refusal tells what the other one left.
        idle: Option<Duration>,
        /// Instances made, or perhaps made, within the time in which their bucket fills.
        made: u32,
        /// The creates that `made` counts and that may be tried again.
        paid: BTreeSet<IntentId>,
        /// The newest create that may have been tried. Of those, the newest are let through first: what the oldest ask for
        /// has most likely been made.
        newest: Option<IntentId>,
    },
}

/// Lets calls through as the buckets of their class fill: creates in the order of their intents, others as they come.
///
/// A create pays for its instances once: however often it is tried, they are made once.
#[derive(Debug)]
pub struct Throttle {
    calls: BTreeMap<CallClass, Level>,
    instances: BTreeMap<CallClass, Level>,
    paid: Lock<BTreeSet<IntentId>>,
    newest_begun: Option<IntentId>,
}

impl Throttle {
    pub fn on(driver: Arc<dyn Driver>, limits: &Limits, begin: Begin) -> Arc<dyn Driver> {
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
        decorate(driver, Self { calls, instances, paid: Lock::new(paid), newest_begun })
    }

    async fn admit(&self, call: Call) {
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
    fn payee(&self, call: Call) -> Option<&Level> {
        call.method.class().and_then(|class| self.calls.get(&class)).filter(|_| !call.lost)
    }

    /// Every change is whole while the lock is held.
    fn paid(&self) -> MutexGuard<'_, BTreeSet<IntentId>> {
        self.paid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Around for Throttle {
    async fn around<T, F, Fut>(&self, call: Call, go: F) -> Result<T, DriverError>
    where
        T: Send,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, DriverError>> + Send,
    {
        self.admit(call).await;
        let mut answer = go().await;
        let Some(level) = self.payee(call) else { return answer };
        loop {
            let Some(asked) = answer.as_ref().err().and_then(pause) else {
                level.taken();
                return answer;
            };
            let Some(step) = level.refused().filter(|_| asked <= SOON) else { return answer };
            tokio::time::sleep(step.max(asked)).await;
            answer = go().await;
        }
    }
}

/// How long the endpoint asks callers to wait, where it was asked too much.
fn pause(error: &DriverError) -> Option<Duration> {
    match error.kind {
        ErrorKind::Throttled { retry_after } => Some(retry_after),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::Instant;

    use super::*;
    use crate::Method;

    fn level(per_minute: u32, burst: u32) -> Level {
        Level::less(Bucket { per_minute, burst }, burst)
    }

    /// How often a create was made that is always refused, with a wish for this pause, and in how long.
    async fn refused(retry_after: Duration) -> (u32, Duration) {
        let throttle = Throttle {
            calls: [(CallClass::Create, level(60, 5))].into(),
            instances: BTreeMap::new(),
            paid: Lock::default(),
            newest_begun: None,
        };
        let (made, before) = (AtomicU32::new(0), Instant::now());
        let go = || async {
            made.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(DriverError::new(ErrorKind::Throttled { retry_after }, "too many"))
        };
        throttle.around(ensure(IntentId::new(1, 1)), go).await.unwrap_err();
        (made.into_inner(), before.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_was_refused_is_made_again_until_a_token_has_come_in() {
        let second = Duration::from_secs(1);
        assert_eq!(refused(Duration::ZERO).await, (1 + level::STEPS, second * 2 + level::ON_THE_WAY));
        assert_eq!(refused(SOON).await, (1 + level::STEPS, second * 5 + level::ON_THE_WAY));
        assert_eq!(refused(SOON * 2).await, (1, second + level::ON_THE_WAY));
    }

    #[tokio::test(start_paused = true)]
    async fn a_create_pays_for_its_instances_once() {
        let level = level(60, 5);
        let (tried, taken) = (IntentId::new(1, 1), IntentId::new(1, 2));
        let throttle = Throttle {
            calls: BTreeMap::new(),
            instances: [(CallClass::Create, level)].into(),
            paid: Lock::new([taken].into()),
            newest_begun: None,
        };
        let before = Instant::now();
        let mut seconds = Vec::new();
        for intent in [taken, tried, tried] {
            throttle.admit(ensure(intent)).await;
            seconds.push(before.elapsed().as_secs());
        }
        assert_eq!(seconds, [0, 3, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn asking_for_a_lost_create_pays_nothing() {
        let throttle = Throttle {
            calls: [(CallClass::Create, level(60, 1))].into(),
            instances: [(CallClass::Create, level(60, 5))].into(),
            paid: Lock::default(),
            newest_begun: None,
        };
        let before = Instant::now();
        for _ in 0..10 {
            throttle.admit(Call { lost: true, ..ensure(IntentId::new(1, 1)) }).await;
        }
        assert_eq!(before.elapsed(), Duration::ZERO);
        throttle.admit(ensure(IntentId::new(1, 2))).await;
        assert_eq!(before.elapsed().as_secs(), 3);
    }

    fn ensure(intent: IntentId) -> Call {
        Call { method: Method::Ensure, instances: 3, intent: Some(intent), lost: false }
    }
}
