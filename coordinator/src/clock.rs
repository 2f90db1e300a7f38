//! The clocks of this machine: the one that leases and cluster time count on, and the one that dates certificates.

use std::fmt::Debug;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use skep_tls::{WallTime, wall_now};

/// A parameter, so that tests can hold it.
pub trait Clock: Debug + Send + Sync {
    /// Since this machine booted.
    fn boottime(&self) -> Duration;

    /// For this coordinator's own certificates and the credentials of accounts, which expire by it; nothing else is
    /// decided by it.
    fn wall(&self) -> WallTime {
        wall_now()
    }
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
