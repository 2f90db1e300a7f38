//! Becomes `skepd`, the coordinator, which stands beside this program.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;

/// Where a coordinator keeps its state and listens. What is not given is skepd's own to choose.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Daemon {
    /// The folder for its state.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Where to listen for people and agents.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Where people and agents reach it, if elsewhere.
    #[arg(long, value_name = "ADDRESS:PORT")]
    advertise: Option<String>,
    /// Where to listen for the other coordinators.
    #[arg(long, value_name = "ADDRESS:PORT")]
    raft_listen: Option<String>,
    /// Where the other coordinators reach it, if elsewhere.
    #[arg(long, value_name = "ADDRESS:PORT")]
    raft_advertise: Option<String>,
    /// More for skepd, after `--`.
    #[arg(last = true, value_name = "ARGUMENT")]
    rest: Vec<OsString>,
}

impl Daemon {
    /// The arguments of skepd.
    pub(crate) fn words(&self, verb: &str, more: &[(&str, &OsStr)]) -> Vec<OsString> {
        let mut words = vec![OsString::from(verb)];
        let mut flag = |name: &str, value: OsString| words.extend([OsString::from(name), value]);
        if let Some(data) = &self.data {
            flag("--data", data.clone().into());
        }
        let addresses = [
            ("--listen", &self.listen),
            ("--advertise", &self.advertise),
            ("--raft-listen", &self.raft_listen),
            ("--raft-advertise", &self.raft_advertise),
        ];
        for (name, value) in addresses {
            if let Some(value) = value {
                flag(name, value.into());
            }
        }
        for (name, value) in more {
            flag(name, value.into());
        }
        words.extend(self.rest.iter().cloned());
        words
    }
}

/// Does not come back, unless skepd could not be started. `secret` is a variable: everybody on the machine can read
/// arguments.
pub(crate) fn become_skepd(
    folder: Option<&Path>,
    words: Vec<OsString>,
    secret: Option<(&str, &str)>,
) -> Failure {
    // A bare name is looked for on the search path.
    let program = folder.map_or_else(|| PathBuf::from("skepd"), |folder| folder.join("skepd"));
    let source = Command::new(&program).args(words).envs(secret).exec();
    Failure::Start { program, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_given_is_handed_on() {
        let args = Daemon {
            data: Some("/d".into()),
            raft_listen: Some("10.0.0.1:7444".into()),
            rest: vec!["--x".into()],
            ..Daemon::default()
        };
        assert_eq!(
            args.words("join", &[("--peer", "10.0.0.2:7443".as_ref())]),
            ["join", "--data", "/d", "--raft-listen", "10.0.0.1:7444", "--peer", "10.0.0.2:7443", "--x"]
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let failure = become_skepd(Some(Path::new("/nonexistent")), Vec::new(), None);
        assert!(failure.text().starts_with("skep: cannot start /nonexistent/skepd: "), "{}", failure.text());
    }
}
