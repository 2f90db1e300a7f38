//! `skep`, run as a person would.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::run;

#[derive(Debug, Clone)]
pub struct Cli {
    program: PathBuf,
    config: PathBuf,
}

/// What a command that may fail said.
#[derive(Debug)]
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Cli {
    pub fn new(program: PathBuf, config: PathBuf) -> Self {
        Self { program, config }
    }

    /// The same program, with another person's or cluster's configuration.
    pub fn with_config(&self, config: PathBuf) -> Self {
        Self { config, ..self.clone() }
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).env("SKEP_CONFIG", &self.config).env_remove("SKEP_DRIVER").stdin(Stdio::null());
        command
    }

    /// Must succeed; what it printed, without the last line end.
    pub fn text(&self, args: &[&str]) -> String {
        run(&mut self.command(args)).trim_end().to_owned()
    }

    /// Must succeed and print one JSON value.
    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let text = self.text(args);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("skep {args:?}: {error} in {text}"))
    }

    /// May fail.
    pub fn ask(&self, args: &[&str]) -> Answer {
        let output = self.command(args).output().unwrap();
        Answer {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// In the background, its output to be read.
    pub(super) fn spawn(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The lines of a list, such as names of hosts.
    pub fn lines(&self, args: &[&str]) -> Vec<String> {
        self.text(args).lines().map(str::to_owned).collect()
    }

    /// A condition of the host: its status and its reason.
    pub fn condition(&self, host: &str, kind: &str) -> (String, String) {
        let host = self.json(&["inspect", host]);
        let all = host["conditions"].as_array().unwrap();
        let found = all.iter().find(|condition| condition["kind"] == kind);
        found.map_or_else(Default::default, |condition| {
            let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
            (text("status"), text("reason"))
        })
    }
}
