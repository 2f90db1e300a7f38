//! One `skep-sim` process: a world of simulated instances that all coordinators of a cluster share.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::processes::run;
use crate::wait::until;

/// All its agents end in order within this.
const END: Duration = Duration::from_secs(60);

/// A thousand agents have much to say.
const QUIET: &str = "error,skep_sim=info";

#[derive(Debug)]
pub struct Simulation {
    process: Child,
    folder: tempfile::TempDir,
}

/// What the world says of itself at its end. Times are seconds.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    pub instances: u64,
    pub creates: u64,
    /// From the first create's arrival to the last instance running.
    pub observed_s: f64,
    /// The same, had all creates come at once: nobody could have been faster.
    pub own_s: f64,
}

impl Simulation {
    /// Creates take `create` ± 20 %, boots `boot`. Returns when its socket answers.
    pub fn start(create: Duration, boot: Duration) -> Self {
        Self::start_saying(QUIET, create, boot)
    }

    /// As [`Self::start`], with a log as in RUST_LOG.
    pub fn start_saying(log_filter: &str, create: Duration, boot: Duration) -> Self {
        let folder = tempfile::Builder::new().prefix("skep-sim-").tempdir().unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new(program());
        command
            .arg("--socket")
            .arg(socket(folder.path()))
            .arg("--report")
            .arg(folder.path().join("report.json"))
            .args(["--latency-ms", &create.as_millis().to_string()])
            .args(["--boot-ms", &boot.as_millis().to_string()])
            .args(["--log", log_filter])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut process = command.spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let simulation = Self { process, folder };
        let mut line = String::new();
        // One line, or the end of its output when it could not start.
        said.read_line(&mut line).unwrap();
        assert!(line.starts_with("serving "), "skep-sim does not serve: {}", simulation.log());
        simulation
    }

    pub fn socket(&self) -> PathBuf {
        socket(self.folder.path())
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What it has said so far, its agents included.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends it, and returns what it took.
    pub fn end(mut self) -> Took {
        run(Command::new("kill").args(["-TERM", &self.process.id().to_string()]));
        let (status, _) = until(END, "skep-sim ends", || self.process.try_wait().unwrap());
        assert!(status.success(), "skep-sim ended with {status}: {}", self.log());
        let text = std::fs::read_to_string(self.folder.path().join("report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        Took {
            instances: report["instances"].as_u64().unwrap(),
            creates: report["creates"].as_u64().unwrap(),
            observed_s: report["observed_s"].as_f64().unwrap(),
            own_s: report["own_s"].as_f64().unwrap(),
        }
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        // Errors say that it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("sim.sock")
}

#[allow(clippy::disallowed_methods, reason = "tests/run.sh and tests/bench.sh tell where the programs stand")]
fn program() -> PathBuf {
    let folder = std::env::var("SKEP_BIN_DIR").expect("SKEP_BIN_DIR names the folder of the programs");
    PathBuf::from(folder).join("skep-sim")
}
