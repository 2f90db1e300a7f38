//! How a login becomes root: it is root, sudo lets it, or sudo asks for its password.
//!
//! The password goes to sudo's stdin in front of the script. Whether sudo will read it is made sure of first: a
//! password that sudo does not ask for would be the script's first line.

use std::time::Duration;

use bytes::Bytes;
use skep_types::Secret;

use crate::exec::{Output, Script};
use crate::{Connection, Error, Kind};

/// sudo waits some seconds after a wrong password.
const LIMIT: Duration = Duration::from_secs(30);
const BECOMING_ROOT: &str = "becoming root";

const LOOK: Script = Script::new(include_str!("sudo/look.sh"), BECOMING_ROOT, LIMIT);
/// Asks whether or not a password was given a moment ago, and takes it from stdin.
const WITH_PASSWORD: &str = "sudo -k -S -p '' ";

/// What stands before a command that root has to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Root {
    Already,
    Sudo,
    SudoAsks(Secret),
}

impl Root {
    pub(crate) fn prefix(&self) -> &'static str {
        match self {
            Self::Already => "",
            Self::Sudo => "sudo -n ",
            Self::SudoAsks(_) => WITH_PASSWORD,
        }
    }

    pub(crate) fn password_line(&self) -> Option<Bytes> {
        match self {
            Self::Already | Self::Sudo => None,
            Self::SudoAsks(password) => Some(format!("{}\n", password.reveal()).into()),
        }
    }
}

/// What the machine says about sudo and this login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sudo {
    IsRoot,
    Free,
    Asks,
    Absent,
}

impl Sudo {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "root" => Some(Self::IsRoot),
            "free" => Some(Self::Free),
            "asks" => Some(Self::Asks),
            "absent" => Some(Self::Absent),
            _ => None,
        }
    }
}

impl Connection {
    /// Found out at the first need, in one round trip; with a password it is tried, in another.
    pub(crate) async fn root(&self) -> Result<&Root, Error> {
        self.inner
            .root
            .get_or_try_init(|| async {
                let output = self.run_with(&Root::Already, LOOK, Vec::new()).await?;
                let word = output.stdout.lines().rev().find_map(|line| line.strip_prefix("skep:sudo="));
                let unexpected = || {
                    Error::from(Kind::Unexpected { address: self.address().to_owned(), what: BECOMING_ROOT })
                };
                let sudo = word.and_then(Sudo::parse).ok_or_else(unexpected)?;
                self.become_root(sudo).await
            })
            .await
    }

    /// The same where the machine was looked at already.
    pub(crate) async fn root_given(&self, sudo: Sudo) -> Result<&Root, Error> {
        self.inner.root.get_or_try_init(|| self.become_root(sudo)).await
    }

    async fn become_root(&self, sudo: Sudo) -> Result<Root, Error> {
        match (sudo, &self.inner.sudo_password) {
            (Sudo::IsRoot, _) => Ok(Root::Already),
            (Sudo::Free, _) => Ok(Root::Sudo),
            (Sudo::Absent, _) => Err(self.no_sudo("there is no sudo")),
            (Sudo::Asks, None) => Err(self.no_sudo("sudo asks for a password, and none is given")),
            (Sudo::Asks, Some(password)) => self.try_password(password).await,
        }
    }

    async fn try_password(&self, password: &Secret) -> Result<Root, Error> {
        if password.reveal().contains(['\n', '\r', '\0']) {
            return Err(self.no_sudo("the password for sudo has a line break"));
        }
        let root = Root::SudoAsks(password.clone());
        let stdin: Vec<Bytes> = root.password_line().into_iter().collect();
        let output = self.exec(format!("{WITH_PASSWORD}true"), stdin, BECOMING_ROOT, LIMIT).await?;
        if output.status == 0 { Ok(root) } else { Err(self.no_sudo(&refusal(&output))) }
    }

    fn no_sudo(&self, why: &str) -> Error {
        let (address, user) = (self.address().to_owned(), self.user().to_owned());
        Kind::NoSudo { address, user, why: why.to_owned() }.into()
    }
}

fn refusal(output: &Output) -> String {
    format!("sudo does not take its password, or it may not use sudo: {}", output.last_words())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_travels_on_stdin_and_nowhere_else() {
        let root = Root::SudoAsks(Secret::new("hunter2"));
        assert!(!root.prefix().contains("hunter2"));
        assert!(!format!("{root:?}").contains("hunter2"));
        assert_eq!(root.password_line().unwrap(), Bytes::from_static(b"hunter2\n"));
        assert_eq!(Root::Sudo.password_line(), None);
    }
}
