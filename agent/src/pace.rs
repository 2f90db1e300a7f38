//! How long to wait before dialling again.

use std::time::Duration;

/// The waits between tries; a simulator of thousands of agents may want longer ones.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The wait after the first failure. The very first try, and the first after a session that lived, do not wait.
    pub first: Duration,
    pub longest: Duration,
    /// At least, after a refusal, which another try will hardly change.
    pub refused: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(5),
            refused: Duration::from_secs(60),
        }
    }
}

/// Doubling, with chance, so that ten thousand agents that lost one coordinator do not find the next one together.
#[derive(Debug)]
pub(crate) struct Pace {
    backoff: Backoff,
    failures: u32,
}

impl Pace {
    pub(crate) fn new(backoff: Backoff) -> Self {
        Self { backoff, failures: 0 }
    }

    /// The next try comes at once.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    pub(crate) fn after_failure(&mut self) -> Duration {
        let doubled = self.backoff.first.saturating_mul(1 << self.failures.min(16)).min(self.backoff.longest);
        self.failures = self.failures.saturating_add(1);
        jitter(doubled).min(self.backoff.longest)
    }

    pub(crate) fn after_refusal(&self) -> Duration {
        self.backoff.refused + jitter(self.backoff.refused) / 2
    }
}

/// Between half of `span` and one and a half times it.
pub(crate) fn jitter(span: Duration) -> Duration {
    span.mul_f64(0.5 + fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_start_over() {
        let mut pace = Pace::new(Backoff::default());
        assert!(pace.after_failure() <= Duration::from_millis(150));
        for _ in 0..100 {
            assert!(pace.after_failure() <= Duration::from_millis(5000));
        }
        assert!(pace.after_failure() >= Duration::from_millis(2500));
        pace.reset();
        assert!(pace.after_failure() <= Duration::from_millis(150));
    }

    #[test]
    fn a_refused_agent_comes_back_a_minute_later() {
        let pace = Pace::new(Backoff::default());
        assert!(pace.after_refusal() >= Duration::from_secs(60));
    }
}
