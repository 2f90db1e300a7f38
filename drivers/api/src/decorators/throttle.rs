//! No more requests than the account's endpoint takes: token buckets, one a class of calls.
//!
//! A bucket starts empty. Whoever takes an account over cannot know what its last owner has spent, and an endpoint
//! that is asked too much answers everybody later.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use skep_types::{Bucket, CallClass, Limits};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::around::{Around, Call, decorate};
use crate::{Driver, DriverError};

/// Lets calls through as the buckets of their class fill; those that wait do so in order.
#[derive(Debug)]
pub struct Throttle {
    calls: BTreeMap<CallClass, Level>,
    instances: BTreeMap<CallClass, Level>,
}

impl Throttle {
    pub fn on(driver: Arc<dyn Driver>, limits: &Limits) -> Arc<dyn Driver> {
        let levels = |buckets: &BTreeMap<CallClass, Bucket>| {
            buckets.iter().map(|(class, bucket)| (*class, Level::empty(*bucket))).collect()
        };
        decorate(driver, Self { calls: levels(&limits.calls), instances: levels(&limits.instances) })
    }

    async fn admit(&self, call: Call) {
        let class = call.method.class();
        if let Some(level) = self.calls.get(&class) {
            level.take(1).await;
        }
        if let Some(level) = self.instances.get(&class) {
            level.take(u32::try_from(call.instances).unwrap_or(u32::MAX)).await;
        }
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
        go().await
    }
}

/// How full a bucket is.
#[derive(Debug)]
struct Level {
    bucket: Bucket,
    /// When it was, or will have been, empty: what it holds now is what has come in since. Held while waiting, which
    /// keeps those that wait in order.
    empty_at: Mutex<Instant>,
}

impl Level {
    fn empty(bucket: Bucket) -> Self {
        let bucket = Bucket { per_minute: bucket.per_minute.max(1), burst: bucket.burst.max(1) };
        Self { bucket, empty_at: Mutex::new(Instant::now()) }
    }

    fn time_for(&self, tokens: u32) -> Duration {
        Duration::from_secs(60) * tokens / self.bucket.per_minute
    }

    /// More than the bucket holds are taken as they come in.
    async fn take(&self, tokens: u32) {
        let mut empty_at = self.empty_at.lock().await;
        let now = Instant::now();
        // What would run over is lost.
        let full = now.checked_sub(self.time_for(self.bucket.burst)).unwrap_or(*empty_at);
        let ready = (*empty_at).max(full) + self.time_for(tokens);
        tokio::time::sleep_until(ready).await;
        *empty_at = ready;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(per_minute: u32, burst: u32) -> Level {
        Level::empty(Bucket { per_minute, burst })
    }

    async fn seconds_for(level: &Level, takes: &[u32]) -> f32 {
        let before = Instant::now();
        for tokens in takes {
            level.take(*tokens).await;
        }
        before.elapsed().as_secs_f32()
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_bucket_is_empty_and_fills_up_to_its_burst() {
        let level = level(60, 5);
        assert_eq!(seconds_for(&level, &[1]).await, 1.0);
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(seconds_for(&level, &[1; 5]).await, 0.0);
        assert_eq!(seconds_for(&level, &[1]).await, 1.0);
    }

    #[tokio::test(start_paused = true)]
    async fn more_than_the_burst_is_paid_for_as_it_comes_in() {
        let level = level(60, 5);
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(seconds_for(&level, &[20]).await, 15.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_goes_away_while_it_waits_takes_nothing() {
        let level = level(60, 5);
        let waited = tokio::time::timeout(Duration::from_millis(10), level.take(5)).await;
        assert!(waited.is_err());
        assert!(seconds_for(&level, &[1]).await <= 1.0);
    }
}
