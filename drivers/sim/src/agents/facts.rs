//! What a simulated machine says of itself.

use std::time::Duration;

use skep_agent::{Facts, ProcFacts, Resources};
use tokio::time::Instant;

use crate::software::Machine;

const GIB: u64 = 1 << 30;

/// A small idle machine, the same for all.
#[derive(Debug)]
pub(super) struct SimFacts {
    boot_id: String,
    booted: Instant,
}

impl SimFacts {
    pub(super) fn new(machine: &Machine) -> Self {
        Self { boot_id: format!("{}-boot-{}", machine.id, machine.boot), booted: Instant::now() }
    }
}

impl Facts for SimFacts {
    fn boot_id(&self) -> String {
        self.boot_id.clone()
    }

    fn resources(&self) -> Resources {
        Resources {
            memory_total_bytes: 2 * GIB,
            memory_available_bytes: GIB,
            disk_total_bytes: 20 * GIB,
            disk_available_bytes: 15 * GIB,
            load_hundredths: 1,
            cpus: 1,
        }
    }

    fn uptime(&self) -> Duration {
        self.booted.elapsed()
    }

    fn wall_time(&self) -> Duration {
        ProcFacts::new().wall_time()
    }
}
