//! The provider's own request limit: one token bucket for all callers.

use std::time::Duration;

use tokio::time::Instant;

/// Full at first: one second's worth. Kept as the time at which it will be full again (GCRA), so that nothing is
/// lost to rounding.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    full_at: Option<Instant>,
}

impl Bucket {
    /// Takes one call's token, or says when there will be one.
    pub(super) fn take(&mut self, per_second: u32, now: Instant) -> Result<(), Duration> {
        let per_second = per_second.max(1);
        let interval = Duration::from_secs(1) / per_second;
        let full_at = self.full_at.map_or(now, |at| at.max(now));
        let missing = full_at - now;
        let most_missing = interval * (per_second - 1);
        if missing > most_missing {
            return Err(missing - most_missing);
        }
        self.full_at = Some(full_at + interval);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_gives_as_many_calls_as_said_after_one_burst() {
        let start = Instant::now();
        let mut bucket = Bucket::default();
        let mut take = |at: Duration| bucket.take(5, start + at);
        assert_eq!((0..10).filter(|_| take(Duration::ZERO).is_ok()).count(), 5);
        assert_eq!(take(Duration::ZERO), Err(Duration::from_millis(200)));
        assert_eq!((0..10).filter(|_| take(Duration::from_secs(1)).is_ok()).count(), 5);
    }
}
