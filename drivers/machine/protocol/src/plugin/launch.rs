//! How a plugin is started.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use super::{Limits, Mask};

/// Plugins do not start without it. It is a constant, and no secret.
const TOKEN: (&str, &str) = ("MACHINE_PLUGIN_TOKEN", "42");
/// Tells a program that has several drivers which is meant.
const DRIVER: &str = "MACHINE_PLUGIN_DRIVER_NAME";

/// Becomes the program, within bounds that it cannot lift, nor its children. Only a bound that is tighter already is
/// left as it is. A core of it would have the account's credentials.
const BOUNDED: &str = r#"ulimit -c 0; ulimit -t "$1"; ulimit -d "$2"; shift 2; exec "$@""#;

#[derive(Debug, Clone)]
pub struct Launch {
    pub program: PathBuf,
    /// The driver's name, such as `digitalocean`.
    pub driver: String,
    /// Whom it works on, for the log.
    pub machine: String,
    /// All of it, but for the two variables of the protocol: nothing of our own environment is handed down.
    pub environment: BTreeMap<OsString, OsString>,
    /// The working directory. Absolute, and the user's.
    pub folder: PathBuf,
    /// None: our own.
    pub user: Option<PluginUser>,
    /// What its words must not show.
    pub mask: Mask,
    pub limits: Limits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PluginUser {
    pub uid: u32,
    pub gid: u32,
}

impl Launch {
    pub(super) fn command(&self) -> Command {
        let (seconds, kib) = (self.limits.cpu.as_secs(), self.limits.memory_bytes / 1024);
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", BOUNDED, "sh", &seconds.to_string(), &kib.to_string()])
            .arg(&self.program)
            .env_clear()
            .envs(&self.environment)
            .env(TOKEN.0, TOKEN.1)
            .env(DRIVER, &self.driver)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, to be killed with what it started.
            .process_group(0)
            .kill_on_drop(true);
        if let Some(user) = self.user {
            // Supplementary groups are given up with the user.
            command.gid(user.gid).uid(user.uid);
        }
        command
    }
}
