//! Cluster time, as this coordinator counts it on between entries.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use skep_types::ClusterTime;

use crate::clock::Clock;

/// The last committed time, plus what CLOCK_BOOTTIME has advanced since.
///
/// While following, every entry of the leader sets the anchor anew. While leading it stays where it was: an entry's
/// time was read before it was replicated, and an anchor set to it at apply would lose that delay at every write.
#[derive(Debug)]
pub(super) struct ClusterClock {
    clock: Arc<dyn Clock>,
    anchor: Mutex<Anchor>,
}

#[derive(Debug, Clone, Copy)]
struct Anchor {
    time: ClusterTime,
    at: Duration,
}

impl Anchor {
    fn now(self, boottime: Duration) -> ClusterTime {
        self.time.after(boottime.saturating_sub(self.at))
    }
}

impl ClusterClock {
    pub(super) fn new(clock: Arc<dyn Clock>, time: ClusterTime) -> Self {
        let anchor = Anchor { time, at: clock.boottime() };
        Self { clock, anchor: Mutex::new(anchor) }
    }

    pub(super) fn now(&self) -> ClusterTime {
        self.lock().now(self.clock.boottime())
    }

    /// An entry was applied. `own`: this coordinator proposed it.
    pub(super) fn applied(&self, time: ClusterTime, own: bool) {
        let boottime = self.clock.boottime();
        let mut anchor = self.lock();
        if !own || time > anchor.now(boottime) {
            *anchor = Anchor { time, at: boottime };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Anchor> {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default)]
    struct HandClock(Mutex<Duration>);

    impl HandClock {
        fn advance(&self, milliseconds: u64) {
            *self.0.lock().unwrap() += Duration::from_millis(milliseconds);
        }
    }

    impl Clock for HandClock {
        fn boottime(&self) -> Duration {
            *self.0.lock().unwrap()
        }
    }

    #[test]
    fn a_leader_loses_no_time_to_replication() {
        let hand = Arc::new(HandClock::default());
        let clock = ClusterClock::new(hand.clone(), ClusterTime(100));
        for _ in 0..10 {
            hand.advance(5);
            let proposed = clock.now();
            hand.advance(5);
            clock.applied(proposed, true);
        }
        assert_eq!(clock.now(), ClusterTime(200));
    }

    #[test]
    fn a_follower_goes_by_its_leader() {
        let hand = Arc::new(HandClock::default());
        let clock = ClusterClock::new(hand.clone(), ClusterTime(100));
        hand.advance(50);
        clock.applied(ClusterTime(120), false);
        hand.advance(7);
        assert_eq!(clock.now(), ClusterTime(127));
    }
}
