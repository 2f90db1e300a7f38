//! A clock that tests can put forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use skep_coordinator::clock::{BootClock, Clock};

/// The machine's clock, and what was added to it. Clones are one clock.
#[derive(Debug, Clone, Default)]
pub struct ForwardClock {
    ahead_ms: Arc<AtomicU64>,
}

impl ForwardClock {
    pub fn put_forward(&self, span: Duration) {
        let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        self.ahead_ms.fetch_add(span, Ordering::Relaxed);
    }
}

impl Clock for ForwardClock {
    fn boottime(&self) -> Duration {
        BootClock.boottime() + Duration::from_millis(self.ahead_ms.load(Ordering::Relaxed))
    }
}
