//! How long to wait before a program is started again.

use std::time::Duration;

/// Doubles while a program does not stay; begins anew after one that stayed for as long as the longest wait.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    last: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(first: Duration, last: Duration) -> Self {
        Self { first, last, next: first }
    }

    /// After a program that could be called for `stayed`.
    pub(super) fn wait(&mut self, stayed: Duration) -> Duration {
        if stayed >= self.last {
            self.next = self.first;
        }
        let wait = self.next;
        self.next = (self.next * 2).min(self.last);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_a_bound_and_begins_anew() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        let short = Duration::from_secs(3);
        let waits: Vec<u64> = (0..8).map(|_| backoff.wait(short).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(backoff.wait(Duration::from_secs(60)).as_secs(), 1);
    }
}
