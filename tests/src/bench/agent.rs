//! One real host, and what its agent needs while nothing happens.

use std::io::{self, Write};
use std::time::Duration;

use super::Figures;
use super::procfs::resident_of;
use crate::processes::Processes;

const HOST: &str = "idle";

#[derive(Debug, Clone, Copy)]
pub struct AgentOptions {
    /// From the host being Ready to the look at its agent.
    pub idle: Duration,
}

/// A host of the `local` driver: the static agent under systemd, with a session to one of three coordinators.
pub fn agent<W: Write>(options: &AgentOptions, figures: &mut Figures<W>) -> io::Result<()> {
    let processes = Processes::start(3);
    processes.skep().text(&["create", "--driver", "local", HOST]);
    let container = processes.engine().container(processes.cluster(), HOST);
    let inside = |command: &[&str]| processes.engine().docker(&[&["exec", &container], command].concat());
    // What is measured is a minute of nothing; there is no condition to wait for.
    std::thread::sleep(options.idle);
    assert!(processes.holder(HOST).is_some(), "the agent has a session");
    let pid = inside(&["systemctl", "show", "-p", "MainPID", "--value", "skep-agent"]);
    let status = inside(&["cat", &format!("/proc/{}/status", pid.trim())]);
    figures.print("agent_rss_mib", resident_of(&status), "MiB")
}
