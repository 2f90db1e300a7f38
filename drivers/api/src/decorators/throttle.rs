//! No more requests than the account's endpoint takes: token buckets, one a class of calls.
//!
//! A refusal corrects what is believed of a bucket: the endpoint's is a little behind. A step later the call is made again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex as Lock, MutexGuard, PoisonError};
use std::time::Duration;

use skep_types::{Bucket, CallClass, IntentId, Limits};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::around::{Around, decorate};
use crate::{Call, Driver, DriverError, ErrorKind};

/// Creates whose instances are paid for, of which the oldest are forgotten: more than can be Open at once.
const PAID_MAX: usize = 4096;

/// Calls differ by about so much in how long they are on their way. Those of a burst may be late, which the endpoint
/// counts from; the next one must not come a moment too early, for a refusal costs it much more.
const ON_THE_WAY: Duration = Duration::from_millis(50);
/// Steps in which a token comes in. A call that was refused is made again after each; then its caller has to wait.
const STEPS: u32 = 4;
/// As it has to where the driver asks for a longer pause.
const SOON: Duration = Duration::from_secs(1);

/// What the buckets hold at first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// As much as they can: nobody has called before.
    Full,
    /// What came in since somebody else may have called last, and one token: nobody knows what was spent before, but a
    /// refusal tells. That of instances made is the exception: those are known.
    After {
        idle: Duration,
        /// Instances made, or perhaps made, within the time in which their bucket fills.
        made: u32,
        /// The creates that `made` counts and that may be tried again.
        paid: BTreeSet<IntentId>,
    },
}

/// Lets calls through as the buckets of their class fill; those that wait do so in order.
///
/// A create pays for its instances once: however often it is tried, they are made once.
#[derive(Debug)]
pub struct Throttle {
    calls: BTreeMap<CallClass, Level>,
    instances: BTreeMap<CallClass, Level>,
    paid: Lock<BTreeSet<IntentId>>,
}

impl Throttle {
    pub fn on(driver: Arc<dyn Driver>, limits: &Limits, begin: Begin) -> Arc<dyn Driver> {
        let (spent, paid) = match begin {
            Begin::Full => (None, BTreeSet::new()),
            Begin::After { idle, made, paid } => (Some((idle, made)), paid),
        };
        let unknown = |bucket: &Bucket| match spent {
            None => Level::less(*bucket, 0),
            Some((idle, _)) => Level::gained(*bucket, idle.saturating_add(time_for(*bucket, 1))),
        };
        let call = |(class, bucket): (&CallClass, &Bucket)| (*class, unknown(bucket));
        let instance = |(class, bucket): (&CallClass, &Bucket)| match (class, spent) {
            (CallClass::Create, Some((_, made))) => (*class, Level::less(*bucket, made)),
            _ => (*class, unknown(bucket)),
        };
        let calls = limits.calls.iter().map(call).collect();
        let instances = limits.instances.iter().map(instance).collect();
        decorate(driver, Self { calls, instances, paid: Lock::new(paid) })
    }

    async fn admit(&self, call: Call) {
        // It makes nothing, and the create it asks about has paid.
        if call.lost {
            return;
        }
        let Some(class) = call.method.class() else { return };
        if let Some(level) = self.calls.get(&class) {
            level.take(1).await;
        }
        let Some(level) = self.instances.get(&class) else { return };
        if call.intent.is_some_and(|intent| self.paid().contains(&intent)) {
            return;
        }
        level.take(u32::try_from(call.instances).unwrap_or(u32::MAX)).await;
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
        for _ in 0..STEPS {
            if !answer.as_ref().err().is_some_and(asks_less) {
                break;
            }
            tokio::time::sleep(level.refused()).await;
            answer = go().await;
        }
        answer
    }
}

/// Nothing was done, for there were too many calls.
fn asks_less(error: &DriverError) -> bool {
    matches!(error.kind, ErrorKind::Throttled { retry_after } if retry_after <= SOON)
}

/// How full a bucket is.
#[derive(Debug)]
struct Level {
    bucket: Bucket,
    /// Held while waiting, which keeps those that wait in order.
    taken: Mutex<Taken>,
    /// Steps that it is behind, since the last call was let through.
    behind: AtomicU32,
}

#[derive(Debug, Clone, Copy)]
struct Taken {
    /// When it was, or will have been, empty: what it holds now is what has come in since.
    empty_at: Instant,
    /// Whether the last call had to wait, and so has made up for ways that differ.
    waited: bool,
}

impl Level {
    /// Full but for `tokens`; empty at least.
    fn less(bucket: Bucket, tokens: u32) -> Self {
        let bucket = sound(bucket);
        let filling = time_for(bucket, bucket.burst.saturating_sub(tokens));
        Self::filled(bucket, filling)
    }

    /// What comes in within `idle`.
    fn gained(bucket: Bucket, idle: Duration) -> Self {
        let bucket = sound(bucket);
        Self::filled(bucket, idle.min(time_for(bucket, bucket.burst)))
    }

    fn filled(bucket: Bucket, filling: Duration) -> Self {
        let now = Instant::now();
        let empty_at = now.checked_sub(filling).unwrap_or(now);
        Self { bucket, taken: Mutex::new(Taken { empty_at, waited: false }), behind: AtomicU32::new(0) }
    }

    fn time_for(&self, tokens: u32) -> Duration {
        time_for(self.bucket, tokens)
    }

    fn step(&self) -> Duration {
        self.time_for(1) / STEPS
    }

    /// A call that has paid came too early. How long it waits, and all behind it.
    fn refused(&self) -> Duration {
        self.behind.fetch_add(1, Ordering::Relaxed);
        self.step()
    }

    /// More than the bucket holds are taken as they come in.
    async fn take(&self, tokens: u32) {
        let mut taken = self.taken.lock().await;
        let now = Instant::now();
        // What would run over is lost.
        let full = now.checked_sub(self.time_for(self.bucket.burst)).unwrap_or(taken.empty_at);
        taken.empty_at = taken.empty_at.max(full);
        let mut waits = false;
        loop {
            let behind = self.behind.swap(0, Ordering::Relaxed).min(self.bucket.burst.saturating_mul(STEPS));
            taken.empty_at += self.step() * behind;
            if taken.empty_at + self.time_for(tokens) <= Instant::now() {
                break;
            }
            if !std::mem::replace(&mut taken.waited, true) {
                taken.empty_at += ON_THE_WAY;
            }
            waits = true;
            tokio::time::sleep_until(taken.empty_at + self.time_for(tokens)).await;
        }
        *taken = Taken { empty_at: taken.empty_at + self.time_for(tokens), waited: waits };
    }
}

/// One that holds something, and fills.
fn sound(bucket: Bucket) -> Bucket {
    Bucket { per_minute: bucket.per_minute.max(1), burst: bucket.burst.max(1) }
}

/// In which so many tokens come in.
fn time_for(bucket: Bucket, tokens: u32) -> Duration {
    Duration::from_secs(60) * tokens / bucket.per_minute.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Method;

    fn level(per_minute: u32, burst: u32) -> Level {
        Level::less(Bucket { per_minute, burst }, burst)
    }

    async fn seconds_for(level: &Level, takes: &[u32]) -> f32 {
        let before = Instant::now();
        for tokens in takes {
            level.take(*tokens).await;
        }
        before.elapsed().as_secs_f32()
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_bucket_fills_up_to_its_burst() {
        let level = level(60, 5);
        assert_eq!(seconds_for(&level, &[1]).await, 1.05);
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(seconds_for(&level, &[1; 5]).await, 0.0);
        assert_eq!(seconds_for(&level, &[1]).await, 1.05);
    }

    #[tokio::test(start_paused = true)]
    async fn more_than_the_burst_is_paid_for_as_it_comes_in() {
        let level = level(60, 5);
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(seconds_for(&level, &[20]).await, 15.05);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_goes_away_while_it_waits_takes_nothing() {
        let level = level(60, 5);
        let waited = tokio::time::timeout(Duration::from_millis(10), level.take(5)).await;
        assert!(waited.is_err());
        assert!(seconds_for(&level, &[1]).await <= 1.05);
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_begins_with_what_was_left_in_it() {
        let bucket = Bucket { per_minute: 60, burst: 5 };
        assert_eq!(seconds_for(&Level::less(bucket, 0), &[5, 1]).await, 1.05);
        assert_eq!(seconds_for(&Level::less(bucket, 3), &[2, 1]).await, 1.05);
        assert_eq!(seconds_for(&Level::less(bucket, 9), &[1]).await, 1.05);
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_in_while_nobody_called_is_there() {
        let bucket = Bucket { per_minute: 60, burst: 5 };
        assert_eq!(seconds_for(&Level::gained(bucket, Duration::ZERO), &[1]).await, 1.05);
        assert_eq!(seconds_for(&Level::gained(bucket, Duration::from_millis(2_900)), &[2, 1]).await, 0.15);
        assert_eq!(seconds_for(&Level::gained(bucket, Duration::MAX), &[5, 1]).await, 1.05);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_refusal_everybody_waits_a_step_longer() {
        let level = Level::less(Bucket { per_minute: 60, burst: 5 }, 4);
        assert_eq!(seconds_for(&level, &[1]).await, 0.0);
        assert_eq!(level.refused(), Duration::from_millis(250));
        assert_eq!(seconds_for(&level, &[1]).await, 1.3);
        // However many calls were refused, no more can be missing than it holds.
        level.behind.store(100, Ordering::Relaxed);
        assert_eq!(seconds_for(&level, &[1]).await, 6.0);
    }

    /// How often a create was made that is always refused, with a wish for this pause, and in how long.
    async fn refused(retry_after: Duration) -> (u32, Duration) {
        let throttle = Throttle {
            calls: [(CallClass::Create, level(60, 5))].into(),
            instances: BTreeMap::new(),
            paid: Lock::default(),
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
        assert_eq!(refused(SOON).await, (1 + STEPS, second * 2 + ON_THE_WAY));
        assert_eq!(refused(SOON * 2).await, (1, second + ON_THE_WAY));
    }

    #[tokio::test(start_paused = true)]
    async fn a_create_pays_for_its_instances_once() {
        let level = level(60, 5);
        let (tried, taken) = (IntentId::new(1, 1), IntentId::new(1, 2));
        let throttle = Throttle {
            calls: BTreeMap::new(),
            instances: [(CallClass::Create, level)].into(),
            paid: Lock::new([taken].into()),
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
