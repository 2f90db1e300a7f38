//! No more requests than the account's endpoint takes: token buckets, one a class of calls.
//!
//! A refusal corrects what is believed of a bucket: the endpoint's is a little behind. A step later the call is made again.

mod buckets;
mod level;
mod queue;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use skep_types::{IntentId, Limits};

use super::around::{Around, decorate};
use crate::{Call, Driver, DriverError, ErrorKind};
use buckets::Buckets;

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
pub struct Throttle(Mutex<Arc<Buckets>>);

impl Throttle {
    pub fn on(driver: Arc<dyn Driver>, limits: &Limits, begin: Begin) -> Arc<dyn Driver> {
        decorate(driver, Self::new(limits, begin))
    }

    pub fn new(limits: &Limits, begin: Begin) -> Self {
        Self(Mutex::new(Arc::new(Buckets::new(limits, begin))))
    }

    /// From now on these hold, and for every call that is not sent yet: those that wait do so anew. What they have paid
    /// is lost with the bucket that they have paid.
    pub fn change(&self, limits: &Limits, begin: Begin) {
        let buckets = Arc::new(Buckets::new(limits, begin));
        std::mem::replace(&mut *self.lock(), buckets).replaced.cancel();
    }

    async fn admit(&self, call: Call) {
        loop {
            let buckets = self.buckets();
            tokio::select! {
                biased;
                () = buckets.replaced.cancelled() => {}
                () = buckets.admit(call) => return,
            }
        }
    }

    fn buckets(&self) -> Arc<Buckets> {
        Arc::clone(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Buckets>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        loop {
            let buckets = self.buckets();
            let Some(level) = buckets.payee(call) else { return answer };
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
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::join_all;
    use skep_types::{Bucket, CallClass};
    use tokio::time::Instant;

    use super::level::Level;
    use super::*;
    use crate::Method;

    fn level(per_minute: u32, burst: u32) -> Level {
        Level::less(Bucket { per_minute, burst }, burst)
    }

    fn throttle(buckets: Buckets) -> Throttle {
        Throttle(Mutex::new(Arc::new(buckets)))
    }

    /// How often a create was made that is always refused, with a wish for this pause, and in how long.
    async fn refused(retry_after: Duration) -> (u32, Duration) {
        let calls = [(CallClass::Create, level(60, 5))].into();
        let throttle = throttle(Buckets { calls, ..Buckets::default() });
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
        let (tried, taken) = (IntentId::new(1, 1), IntentId::new(1, 2));
        let instances = [(CallClass::Create, level(60, 5))].into();
        let paid = Mutex::new([taken].into());
        let throttle = throttle(Buckets { instances, paid, ..Buckets::default() });
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
        let calls = [(CallClass::Create, level(60, 1))].into();
        let instances = [(CallClass::Create, level(60, 5))].into();
        let throttle = throttle(Buckets { calls, instances, ..Buckets::default() });
        let before = Instant::now();
        for _ in 0..10 {
            throttle.admit(Call { lost: true, ..ensure(IntentId::new(1, 1)) }).await;
        }
        assert_eq!(before.elapsed(), Duration::ZERO);
        throttle.admit(ensure(IntentId::new(1, 2))).await;
        assert_eq!(before.elapsed().as_secs(), 3);
    }

    fn creates(per_minute: u32, burst: u32) -> Limits {
        let calls = BTreeMap::from([(CallClass::Create, Bucket { per_minute, burst })]);
        Limits { calls, ..Limits::default() }
    }

    fn nothing() -> Begin {
        Begin::After { idle: None, made: 0, paid: BTreeSet::new(), newest: None }
    }

    /// Five creates, with the limits changed after two and a half seconds: in which second each is let through.
    async fn changed(before: (u32, u32), after: (u32, u32)) -> Vec<u64> {
        let (throttle, begun) = (Throttle::new(&creates(before.0, before.1), nothing()), Instant::now());
        let let_through = async |number| {
            throttle.admit(ensure(IntentId::new(1, number))).await;
            begun.elapsed().as_secs()
        };
        let change = async {
            tokio::time::sleep(Duration::from_millis(2500)).await;
            throttle.change(&creates(after.0, after.1), nothing());
        };
        tokio::join!(join_all((1..=5).map(let_through)), change).0
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_wait_already_are_under_limits_that_were_changed() {
        assert_eq!(changed((1, 1), (60, 5)).await, [3, 4, 5, 6, 7]);
        assert_eq!(changed((60, 5), (6, 5)).await, [1, 2, 12, 22, 32]);
    }

    fn ensure(intent: IntentId) -> Call {
        Call { method: Method::Ensure, instances: 3, intent: Some(intent), lost: false }
    }
}
