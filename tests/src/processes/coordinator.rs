//! One `skepd`: its folder, its ports and its process.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{Programs, ports, run};
use crate::wait::until;

/// A killed owner's accounts move after both together of silence. The local driver's calls take a second or two; on a
/// machine as busy as one that runs tests, a few more.
const OWNER_LEASE: Duration = Duration::from_secs(3);
const DRIVER_CALL: Duration = Duration::from_secs(10);
/// No agent of these tests needs as long, unless it cannot dial at all.
const DIAL_AFTER: Duration = Duration::from_secs(10);
/// Leadership is handed over and calls finish within this.
const STOP: Duration = Duration::from_secs(20);
/// Lines of a log that are shown when a test fails: the last minute or so of an eventful life.
const LOG_LINES: usize = 150;

/// What `skepd run` is told beside its folder and its agent.
#[derive(Debug, Clone)]
pub struct Settings {
    pub owner_lease: Duration,
    pub driver_call: Duration,
    /// Of driver programs that run already.
    pub driver_sockets: Vec<PathBuf>,
    /// Where it looks for driver programs to start; None for nowhere.
    pub plugin_path: Option<PathBuf>,
    /// How long agents are given to dial in.
    pub dial_after: Duration,
    /// Of a collector of spans.
    pub otlp_endpoint: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            owner_lease: OWNER_LEASE,
            driver_call: DRIVER_CALL,
            driver_sockets: Vec::new(),
            plugin_path: None,
            dial_after: DIAL_AFTER,
            otlp_endpoint: None,
        }
    }
}

#[derive(Debug)]
pub struct Coordinator {
    name: String,
    /// HOST:PORT of the control port.
    pub(super) address: String,
    port: u16,
    raft_address: String,
    raft_port: u16,
    data: PathBuf,
    log: PathBuf,
    programs: Programs,
    settings: Settings,
    process: Option<Child>,
}

impl Coordinator {
    pub(super) fn new(
        at: usize,
        folder: &Path,
        address: &str,
        programs: &Programs,
        settings: &Settings,
    ) -> Self {
        let name = format!("c{}", at + 1);
        let (port, raft_port) = (ports::free_port(), ports::free_port());
        Self {
            address: format!("{address}:{port}"),
            raft_address: format!("{address}:{raft_port}"),
            port,
            raft_port,
            data: folder.join(&name),
            log: folder.join(format!("{name}.log")),
            name,
            programs: programs.clone(),
            settings: settings.clone(),
            process: None,
        }
    }

    fn skepd(&self, action: &str) -> Command {
        let mut command = Command::new(&self.programs.skepd);
        command.arg(action).arg("--data").arg(&self.data);
        command
    }

    fn with_addresses(&self, command: &mut Command) {
        command
            .args(["--listen", &format!("0.0.0.0:{}", self.port), "--advertise", &self.address])
            .args(["--raft-listen", &format!("0.0.0.0:{}", self.raft_port)])
            .args(["--raft-advertise", &self.raft_address]);
    }

    pub(super) fn init(&self, operator_config: &Path) {
        let mut command = self.skepd("init");
        self.with_addresses(&mut command);
        run(command.arg("--operator-config").arg(operator_config));
    }

    pub(super) fn join(&self, peer: &str, token: &Path) {
        let mut command = self.skepd("join");
        self.with_addresses(&mut command);
        run(command.args(["--peer", peer, "--token-file"]).arg(token));
    }

    pub(super) fn run(&mut self) {
        assert!(self.process.is_none(), "{} runs already", self.name);
        let log = OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let mut command = self.skepd("run");
        command
            .args(["--owner-lease", &self.settings.owner_lease.as_secs().to_string()])
            .args(["--driver-call", &self.settings.driver_call.as_secs().to_string()])
            .args(["--dial-after", &self.settings.dial_after.as_secs().to_string()])
            .arg("--agent-binary")
            .arg(&self.programs.agent)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        // Not those that stand beside it: what was built last is no part of a test.
        let nowhere = self.data.join("no-programs");
        command.arg("--plugin-path").arg(self.settings.plugin_path.as_ref().unwrap_or(&nowhere));
        for socket in &self.settings.driver_sockets {
            command.arg("--driver-socket").arg(socket);
        }
        if let Some(endpoint) = &self.settings.otlp_endpoint {
            // Batches are sent at once: somebody waits for them.
            command.args(["--otlp-endpoint", endpoint]).env("OTEL_BSP_SCHEDULE_DELAY", "100");
        }
        self.process = Some(command.spawn().unwrap());
    }

    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    pub(super) fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// A linearizable read through it works.
    pub(super) fn is_ready(&self) -> bool {
        let url = format!("https://{}/readyz", self.address);
        let mut command = Command::new("curl");
        command.args(["--silent", "--fail", "--insecure", "--max-time", "2", &url]);
        command.stdout(Stdio::null()).status().unwrap().success()
    }

    pub(super) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // An error says that it has ended already.
            let _ = process.kill();
            process.wait().unwrap();
        }
    }

    pub(super) fn stop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        run(Command::new("kill").args(["-TERM", &process.id().to_string()]));
        let ended = until(STOP, &format!("{} stops", self.name), || process.try_wait().unwrap());
        assert!(ended.0.success(), "{} ended with {}", self.name, ended.0);
    }

    pub(super) fn print_log(&self) {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines.len().saturating_sub(LOG_LINES);
        crate::print(&format!("--- {} at {}\n{}", self.name, self.address, lines[last..].join("\n")));
    }
}

impl Drop for Coordinator {
    fn drop(&mut self) {
        self.kill();
    }
}
