//! The clock that leases and cluster time count on.

use std::fmt::Debug;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Time since this machine booted. A parameter, so that tests can hold it.
pub trait Clock: Debug + Send + Sync {
    fn boottime(&self) -> Duration;
}

/// CLOCK_BOOTTIME: goes on while the machine sleeps, and no administrator can set it back.
#[derive(Debug, Clone, Copy, Default)]
pub struct BootClock;

impl Clock for BootClock {
    fn boottime(&self) -> Duration {
        let now = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
        Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or(0))
    }
}
