//! A cluster of real `skepd` processes that make real hosts on this machine's Docker Engine.
//!
//! ```text
//! Processes::start(3) ─► skepd init · run ─► skepd join · run ─► skepd join · run ─► `skep` knows all three
//!        └─ drop, also by a panic ─► kill all ─► remove the cluster's containers, volumes and network
//! ```
//!
//! Coordinators count from 0 here: number 0 is "c1" to the cluster.

mod cli;
mod cloud;
mod coordinator;
mod docker;
mod engine;
mod events;
mod ports;
mod programs;
pub mod raw;

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

pub use cli::{Answer, Cli};
pub use cloud::Cloud;
pub use coordinator::{Coordinator, Settings};
pub use docker::Docker;
pub use engine::{Engine, run};
pub use events::Events;
pub use programs::{Programs, amazonec2_driver, machine_driver, python_driver, simulator};

use crate::wait::{until, until_true};

/// From the start of a process to a linearizable read through it. Debug builds on two busy cores take a few seconds.
const READY: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Processes {
    /// Also what fails the test while the cluster still stands: dropped last.
    folder: TempDir,
    coordinators: Vec<Coordinator>,
    cluster: String,
    engine: Engine,
    programs: Programs,
}

impl Processes {
    /// `n` coordinators, all voters and all named in the operator's configuration.
    pub fn start(n: usize) -> Self {
        Self::start_with(n, &Settings::default())
    }

    pub fn start_with(n: usize, settings: &Settings) -> Self {
        let programs = Programs::from_environment();
        let engine = Engine::of_this_machine();
        let folder = tempfile::Builder::new().prefix("skep-e2e-").tempdir().unwrap();
        let config = folder.path().join("operator/config.toml");
        let address = engine.bridge_address();
        let coordinators: Vec<Coordinator> =
            (0..n).map(|at| Coordinator::new(at, folder.path(), &address, &programs, settings)).collect();
        coordinators[0].init(&config);
        let cluster = cluster_id(&config);
        engine::register(&cluster);
        let mut all = Self { folder, coordinators, cluster, engine, programs };
        all.run_first();
        for at in 1..n {
            all.join(at);
        }
        all.name_all();
        all.until_voters(n);
        all
    }

    fn run_first(&mut self) {
        self.coordinators[0].run();
        self.until_ready(0);
    }

    fn join(&mut self, at: usize) {
        let token = self.folder.path().join(format!("token-{at}"));
        std::fs::write(&token, self.skep().text(&["cluster", "token"])).unwrap();
        let peer = self.coordinators[0].address.clone();
        self.coordinators[at].join(&peer, &token);
        self.coordinators[at].run();
        self.until_ready(at);
    }

    /// `skepd init` knows of one coordinator; with all named, `skep` goes on when that one is killed.
    fn name_all(&self) {
        self.write_config(&self.config(), self.coordinators.iter().map(|one| one.address.as_str()));
    }

    /// The operator's configuration, for these coordinators.
    fn write_config<'a>(&self, path: &Path, addresses: impl Iterator<Item = &'a str>) {
        let addresses: Vec<String> = addresses.map(|address| format!("{address:?}")).collect();
        let line = format!("coordinators = [{}]", addresses.join(", "));
        let text = std::fs::read_to_string(self.config()).unwrap();
        let lines: Vec<&str> = text
            .lines()
            .map(|old| if old.starts_with("coordinators = ") { line.as_str() } else { old })
            .collect();
        std::fs::write(path, lines.join("\n")).unwrap();
    }

    fn until_voters(&self, n: usize) {
        until_true(READY, "all coordinators are voters", || {
            let status = self.status();
            let rows = status["coordinators"].as_array().unwrap();
            rows.iter().filter(|row| row["membership"] == "voter").count() == n
        });
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("operator/config.toml")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub fn len(&self) -> usize {
        self.coordinators.len()
    }

    pub fn is_empty(&self) -> bool {
        self.coordinators.is_empty()
    }

    /// Of the coordinators that run.
    pub fn pids(&self) -> Vec<u32> {
        self.coordinators.iter().filter_map(Coordinator::pid).collect()
    }

    /// HOST:PORT of a coordinator's control port.
    pub fn address(&self, at: usize) -> &str {
        &self.coordinators[at].address
    }

    /// `skep`, as the cluster's first admin.
    pub fn skep(&self) -> Cli {
        Cli::new(self.programs.skep.clone(), self.config())
    }

    /// As [`Self::skep`], but knowing only of the coordinators other than `at`.
    pub fn others(&self, at: usize) -> Cli {
        let path = self.config().with_file_name(format!("without-{at}.toml"));
        let others = self.coordinators.iter().enumerate().filter(|(other, _)| *other != at);
        self.write_config(&path, others.map(|(_, coordinator)| coordinator.address.as_str()));
        self.skep().with_config(path)
    }

    /// What `docker` does when `skep env` has pointed it, with `to` as the arguments of `skep env`.
    pub fn docker(&self, to: &[&str]) -> Docker {
        Docker::pointed_by(&self.skep(), to)
    }

    /// SIGKILL.
    pub fn kill(&mut self, at: usize) {
        self.coordinators[at].kill();
    }

    /// SIGTERM, and the wait for its end.
    pub fn stop(&mut self, at: usize) {
        self.coordinators[at].stop();
    }

    /// Starts one that was killed or stopped, and waits until it answers.
    pub fn restart(&mut self, at: usize) {
        self.coordinators[at].run();
        self.until_ready(at);
    }

    /// All that do not run, at once.
    pub fn restart_all(&mut self) {
        for coordinator in &mut self.coordinators {
            if !coordinator.is_running() {
                coordinator.run();
            }
        }
        for at in 0..self.coordinators.len() {
            self.until_ready(at);
        }
    }

    fn until_ready(&self, at: usize) {
        let coordinator = &self.coordinators[at];
        until_true(READY, &format!("coordinator {at} is ready"), || coordinator.is_ready());
    }

    pub fn status(&self) -> serde_json::Value {
        self.skep().json(&["cluster", "status", "-o", "json"])
    }

    /// Which one leads, once one does.
    pub fn leader(&self) -> usize {
        until(READY, "there is a leader", || index(self.status()["leader"].as_str()?)).0
    }

    /// Which one holds the stream of the host's agent; None while none does.
    pub fn holder(&self, host: &str) -> Option<usize> {
        index(self.skep().json(&["inspect", host])["coordinator"].as_str()?)
    }

    /// What of this cluster is on the engine, of every kind: nothing, once its hosts are deleted but for the network.
    pub fn containers(&self) -> Vec<String> {
        self.engine.list("ps -aq --no-trunc", &self.cluster)
    }

    pub fn volumes(&self) -> Vec<String> {
        self.engine.list("volume ls -q", &self.cluster)
    }

    fn print_logs(&self) {
        for coordinator in &self.coordinators {
            coordinator.print_log();
        }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for coordinator in &mut self.coordinators {
            coordinator.kill();
        }
        if std::thread::panicking() {
            self.print_logs();
        }
        self.engine.remove_cluster(&self.cluster);
    }
}

/// "c1" is number 0.
pub(crate) fn index(id: &str) -> Option<usize> {
    id.strip_prefix('c')?.parse::<usize>().ok()?.checked_sub(1)
}

fn cluster_id(config: &Path) -> String {
    let text = std::fs::read_to_string(config).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("cluster = \"")).unwrap();
    line.trim_end_matches('"').to_owned()
}
