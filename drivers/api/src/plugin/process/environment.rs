//! What of our environment a driver program is given.

use std::ffi::OsString;
use std::path::Path;

use tokio::process::Command;

/// Neither credentials nor anything else that would let a program differ from one coordinator to the next.
const PASSED: [&str; 3] = ["PATH", "LANG", "TMPDIR"];

#[derive(Debug, Clone, Default)]
pub struct Environment(Vec<(&'static str, OsString)>);

impl Environment {
    /// Out of the whole, by name.
    pub fn out_of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        Self(PASSED.iter().filter_map(|name| Some((*name, variable(name)?))).collect())
    }

    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.0.iter().map(|(name, value)| (name, value)));
        command
    }
}
