//! How long, and how often, to ask again.

use std::time::{Duration, Instant};

/// The bounds of a retry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// From the first failure to giving up.
    pub(crate) total: Duration,
    /// The first wait; each one after doubles.
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

impl Patience {
    pub(crate) fn start(self) -> Backoff {
        Backoff { patience: self, until: None, wait: self.first, mistrusted: 0 }
    }
}

/// A retry under way.
#[derive(Debug)]
pub(crate) struct Backoff {
    patience: Patience,
    until: Option<Instant>,
    wait: Duration,
    /// Coordinators that do not believe us, or that we do not believe: no wait changes that.
    pub(crate) mistrusted: usize,
}

impl Backoff {
    /// How long to wait from `now` until the next try; None when the patience is over.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Duration> {
        let until = *self.until.get_or_insert(now + self.patience.total);
        if now >= until {
            return None;
        }
        let wait = self.wait.min(until - now);
        self.wait = (self.wait * 2).min(self.patience.longest);
        Some(wait)
    }

    /// An answer came: the next failure is a first one again.
    pub(crate) fn reset(&mut self) {
        *self = self.patience.start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_end() {
        let patience = Patience {
            total: Duration::from_secs(2),
            first: Duration::from_millis(250),
            longest: Duration::from_millis(800),
        };
        let mut backoff = patience.start();
        let mut now = Instant::now();
        let mut waits = Vec::new();
        while let Some(wait) = backoff.next(now) {
            waits.push(u64::try_from(wait.as_millis()).unwrap());
            now += wait;
        }
        assert_eq!(waits, [250, 500, 800, 450]);
    }
}
