//! How full one bucket is believed to be.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use skep_types::Bucket;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::queue::{Place, Queue};

/// Calls differ by about so much in how long they are on their way. Those of a burst may be late, which the endpoint
/// counts from; the next one must not come a moment too early, for a refusal costs it much more.
pub(super) const ON_THE_WAY: Duration = Duration::from_millis(50);
/// In which a token comes in: a refusal says that the endpoint's bucket is behind by one at least.
pub(super) const STEPS: u32 = 4;

/// How full a bucket is.
#[derive(Debug)]
pub(super) struct Level {
    bucket: Bucket,
    queue: Queue,
    /// Held while waiting.
    taken: Mutex<Taken>,
    /// Steps that it is behind, since the last call was let through.
    behind: AtomicU32,
    /// Calls that the endpoint refused since it took one.
    refusals: AtomicU32,
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
    pub(super) fn less(bucket: Bucket, tokens: u32) -> Self {
        let bucket = sound(bucket);
        let filling = time_for(bucket, bucket.burst.saturating_sub(tokens));
        Self::filled(bucket, filling)
    }

    /// What comes in within `idle`.
    pub(super) fn gained(bucket: Bucket, idle: Duration) -> Self {
        let bucket = sound(bucket);
        Self::filled(bucket, idle.min(time_for(bucket, bucket.burst)))
    }

    fn filled(bucket: Bucket, filling: Duration) -> Self {
        let now = Instant::now();
        let empty_at = now.checked_sub(filling).unwrap_or(now);
        Self {
            bucket,
            queue: Queue::default(),
            taken: Mutex::new(Taken { empty_at, waited: false }),
            behind: AtomicU32::new(0),
            refusals: AtomicU32::new(0),
        }
    }

    fn time_for(&self, tokens: u32) -> Duration {
        time_for(self.bucket, tokens)
    }

    fn step(&self) -> Duration {
        self.time_for(1) / STEPS
    }

    /// A call that has paid came too early: how long it waits, and all behind it. None once so many were refused since the
    /// last one was taken that it was not for a moment.
    pub(super) fn refused(&self) -> Option<Duration> {
        let refusals = self.refusals.fetch_add(1, Ordering::Relaxed);
        self.behind.fetch_add(1, Ordering::Relaxed);
        (refusals < STEPS).then(|| self.step())
    }

    pub(super) fn taken(&self) {
        self.refusals.store(0, Ordering::Relaxed);
    }

    /// More than the bucket holds are taken as they come in.
    pub(super) async fn take(&self, place: Place, tokens: u32) {
        let _turn = self.queue.turn(place).await;
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
pub(super) fn time_for(bucket: Bucket, tokens: u32) -> Duration {
    Duration::from_secs(60) * tokens / bucket.per_minute.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(per_minute: u32, burst: u32) -> Level {
        Level::less(Bucket { per_minute, burst }, burst)
    }

    async fn seconds_for(level: &Level, takes: &[u32]) -> f32 {
        let before = Instant::now();
        for tokens in takes {
            level.take(Place::default(), *tokens).await;
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
        let waited = tokio::time::timeout(Duration::from_millis(10), level.take(Place::default(), 5)).await;
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
        assert_eq!(level.refused(), Some(Duration::from_millis(250)));
        assert_eq!(seconds_for(&level, &[1]).await, 1.3);
        let pauses = [(); STEPS as usize].map(|()| level.refused().is_some());
        assert_eq!(pauses, [true, true, true, false]);
        level.taken();
        assert!(level.refused().is_some());
        // However many calls were refused, no more can be missing than it holds.
        level.behind.store(100, Ordering::Relaxed);
        assert_eq!(seconds_for(&level, &[1]).await, 6.0);
    }
}
