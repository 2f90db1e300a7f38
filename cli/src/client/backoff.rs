//! How long, and how often, to ask again.

use std::time::{Duration, Instant};

/// An election and a restart of one coordinator are over by then: who still waits wants to know why.
const DRAGS_AFTER: Duration = Duration::from_secs(3);

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
        Backoff { patience: self, until: None, wait: self.first, mistrusted: 0, told: false }
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
    /// Whether it was told that this drags on.
    told: bool,
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

    /// True once: when it has gone on for so long that the person should be told.
    pub(crate) fn drags(&mut self, now: Instant) -> bool {
        let Some(until) = self.until else { return false };
        let waited = self.patience.total.saturating_sub(until.saturating_duration_since(now));
        let tell = !self.told && waited >= DRAGS_AFTER;
        self.told |= tell;
        tell
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

    #[test]
    fn that_it_drags_on_is_told_once() {
        let second = Duration::from_secs(1);
        let mut backoff = Patience { total: second * 9, first: second, longest: second }.start();
        let from = Instant::now();
        let told: Vec<bool> = (0..6)
            .map(|tick| {
                let now = from + second * tick;
                backoff.next(now).unwrap();
                backoff.drags(now)
            })
            .collect();
        assert_eq!(told, [false, false, false, true, false, false]);
    }
}
