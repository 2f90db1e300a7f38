//! Many hosts from one request, on three coordinators and a simulated cloud.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use skep_proto::v1::Operation;
use skep_types::limits;

use super::{Api, Figures, Simulation, Took, cpu, resident_mib};
use crate::processes::{Processes, Settings};

const COORDINATORS: usize = 3;
/// Between two lines about how far it is.
const CHATTER: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
pub struct BulkOptions {
    pub hosts: u32,
    /// How long the driver takes for a create, ± 20 %.
    pub create: Duration,
    /// From an instance's existence to running.
    pub boot: Duration,
    /// All hosts must be Ready within this.
    pub bound: Duration,
}

/// What it cost. Times begin with the request.
#[derive(Debug, Clone)]
pub struct Bulk {
    pub hosts: u32,
    /// The operation as it ended.
    pub operation: Operation,
    pub accepted: Duration,
    pub ready: Duration,
    pub log_entries: u64,
    /// User and system time of all coordinators, and of the simulation with all its agents.
    pub coordinator_cpu: Duration,
    pub simulation_cpu: Duration,
    /// Of the coordinator that has most.
    pub coordinator_mib: f64,
    pub driver: Took,
}

/// Panics where a step fails or takes too long; whatever was started has ended then, too.
pub fn bulk(options: &BulkOptions) -> Bulk {
    let simulation = Simulation::start(options.create, options.boot);
    let processes = start(&simulation);
    measure(options, &processes, simulation)
}

/// Coordinators with the lease and the limit of calls they have by default: creates take their time here.
fn start(simulation: &Simulation) -> Processes {
    let settings = Settings {
        owner_lease: limits::OWNER_LEASE,
        driver_call: limits::DRIVER_CALL,
        driver_sockets: vec![simulation.socket()],
        ..Settings::default()
    };
    Processes::start_with(COORDINATORS, &settings)
}

fn measure(options: &BulkOptions, processes: &Processes, simulation: Simulation) -> Bulk {
    let api = Api::connect(&processes.config(), processes.address(0));
    let pids = processes.pids();
    let coordinators_cpu = || pids.iter().map(|pid| cpu(*pid)).sum::<Duration>();
    let (cpu_before, simulation_before) = (coordinators_cpu(), cpu(simulation.pid()));
    let log_before = api.status().log_last;
    let started = Instant::now();
    let accepted = api.create("bulk", options.hosts);
    let accepted_after = started.elapsed();
    let mut chatter = Chatter { started, last: started };
    let operation = api.finished(&accepted.id, options.bound, |seen| chatter.say(seen));
    let ready = started.elapsed();
    Bulk {
        hosts: options.hosts,
        operation,
        accepted: accepted_after,
        ready,
        log_entries: api.status().log_last - log_before,
        coordinator_cpu: coordinators_cpu() - cpu_before,
        simulation_cpu: cpu(simulation.pid()) - simulation_before,
        coordinator_mib: pids.iter().map(|pid| resident_mib(*pid)).fold(0.0, f64::max),
        driver: simulation.end(),
    }
}

/// Lines about how far the operation is, now and then.
struct Chatter {
    started: Instant,
    last: Instant,
}

impl Chatter {
    fn say(&mut self, seen: &Operation) {
        if self.last.elapsed() < CHATTER && seen.took_ms == 0 {
            return;
        }
        self.last = Instant::now();
        let mut phases: Vec<String> = seen.phases.iter().map(|(phase, n)| format!("{n} {phase}")).collect();
        phases.sort();
        crate::print(&format!("{:6.1} s  {}", self.started.elapsed().as_secs_f64(), phases.join(", ")));
    }
}

impl Bulk {
    pub fn print<W: Write>(&self, figures: &mut Figures<W>) -> io::Result<()> {
        let ms_per_host = |cpu: Duration| cpu.as_secs_f64() * 1000.0 / f64::from(self.hosts.max(1));
        let ready = self.ready.as_secs_f64();
        figures.print("accepted_s", self.accepted.as_secs_f64(), "s")?;
        figures.print("driver_s", self.driver.own_s, "s")?;
        figures.print("driver_observed_s", self.driver.observed_s, "s")?;
        figures.print("driver_creates", self.driver.creates as f64, "calls")?;
        figures.print("ready_s", ready, "s")?;
        figures.print("over_driver_s", ready - self.driver.own_s, "s")?;
        figures.print("log_entries", self.log_entries as f64, "entries")?;
        figures.print("cpu_ms_per_host", ms_per_host(self.coordinator_cpu + self.simulation_cpu), "ms")?;
        figures.print("coordinator_cpu_ms_per_host", ms_per_host(self.coordinator_cpu), "ms")?;
        figures.print("agent_cpu_ms_per_host", ms_per_host(self.simulation_cpu), "ms")?;
        figures.print("coordinator_rss_mib", self.coordinator_mib, "MiB")
    }
}
