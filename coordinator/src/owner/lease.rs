//! The owner's own fence: how long it may act without having been heard.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Clock;

/// Valid for a span after the *sending* of the last beat that the leader answered, on CLOCK_BOOTTIME.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    clock: Arc<dyn Clock>,
    span: Duration,
    /// Milliseconds of BOOTTIME; 0 before the first renewal.
    until_ms: Arc<AtomicU64>,
}

impl Lease {
    pub(crate) fn new(clock: Arc<dyn Clock>, span: Duration) -> Self {
        Self { clock, span, until_ms: Arc::default() }
    }

    pub(crate) fn span(&self) -> Duration {
        self.span
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.boottime()
    }

    /// The leader answered a beat that was sent at `sent`.
    pub(crate) fn renew(&self, sent: Duration) {
        let until = u64::try_from((sent + self.span).as_millis()).unwrap_or(u64::MAX);
        self.until_ms.fetch_max(until, Ordering::AcqRel);
    }

    pub(crate) fn valid(&self) -> bool {
        self.now().as_millis() < u128::from(self.until_ms.load(Ordering::Acquire))
    }
}
