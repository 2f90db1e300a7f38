//! What the machine says of itself, and its clocks.

mod proc;

use std::fmt::Debug;
use std::time::Duration;

pub use proc::ProcFacts;

/// Cheap calls that do not wait; a simulated host answers them from memory.
pub trait Facts: Send + Sync + Debug + 'static {
    /// Of the running kernel: another one after each restart of the host.
    fn boot_id(&self) -> String;
    fn resources(&self) -> Resources;
    /// Time since the host booted, sleep included. Renewals go by it, across restarts of the agent.
    fn uptime(&self) -> Duration;
    /// Since 1970. Only told, never decided by.
    fn wall_time(&self) -> Duration;
    /// What the machine can prove itself with at its enrolment, for its driver to read; empty where it has nothing.
    fn evidence(&self) -> Vec<u8> {
        Vec::new()
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resources {
    pub memory_total_bytes: u64,
    pub memory_available_bytes: u64,
    /// Of the file system that holds /var/lib/docker.
    pub disk_total_bytes: u64,
    pub disk_available_bytes: u64,
    /// The one-minute load average, in hundredths.
    pub load_hundredths: u32,
    pub cpus: u32,
}

impl Resources {
    /// Whether `self` tells something that `told` did not. An idle host breathes a little all the time; a report for
    /// each breath of ten thousand hosts would be all that coordinators do.
    pub(crate) fn differs(&self, told: &Self) -> bool {
        let moved = |now: u64, then: u64, total: u64, parts: u64| now.abs_diff(then) > total / parts;
        self.memory_total_bytes != told.memory_total_bytes
            || self.disk_total_bytes != told.disk_total_bytes
            || self.cpus != told.cpus
            || moved(self.memory_available_bytes, told.memory_available_bytes, self.memory_total_bytes, 8)
            || moved(self.disk_available_bytes, told.disk_available_bytes, self.disk_total_bytes, 20)
            // Half a runnable process per processor.
            || self.load_hundredths.abs_diff(told.load_hundredths) > 50 * self.cpus.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn idle() -> Resources {
        Resources {
            memory_total_bytes: 8 * GIB,
            memory_available_bytes: 6 * GIB,
            disk_total_bytes: 100 * GIB,
            disk_available_bytes: 50 * GIB,
            load_hundredths: 10,
            cpus: 2,
        }
    }

    #[test]
    fn breathing_is_not_reported() {
        let now = Resources {
            memory_available_bytes: 5 * GIB + GIB / 2,
            disk_available_bytes: 48 * GIB,
            load_hundredths: 90,
            ..idle()
        };
        assert!(!now.differs(&idle()));
    }

    #[test]
    fn what_matters_is() {
        for now in [
            Resources { memory_available_bytes: 4 * GIB, ..idle() },
            Resources { disk_available_bytes: 40 * GIB, ..idle() },
            Resources { load_hundredths: 120, ..idle() },
            Resources { cpus: 4, ..idle() },
        ] {
            assert!(now.differs(&idle()), "{now:?}");
        }
    }
}
