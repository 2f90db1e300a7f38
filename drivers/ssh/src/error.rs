//! Why something over SSH did not work: a kind, each with a sentence for people, and what caused it.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::rsa;

/// What failed, and what it was caused by.
#[derive(Debug)]
pub struct Error {
    pub kind: Kind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Each way it fails, with what a person needs to mend it. No secret stands in here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Kind {
    #[error("the name {host:?} has no address")]
    NameNotFound { host: String },
    #[error("{address} refuses connections: nothing listens there, or a firewall rejects")]
    Refused { address: String },
    #[error("{address} cannot be reached from here")]
    Unreachable { address: String },
    #[error("{address} did not answer within {} s while {doing}", .after.as_secs())]
    TimedOut { address: String, doing: &'static str, after: Duration },
    #[error("{address} ended the connection while {doing}{}", words(.said))]
    Dropped { address: String, doing: &'static str, said: String },
    #[error("{jump} does not forward to {address}: {why}")]
    ForwardRefused { jump: String, address: String, why: String },
    #[error("{address} speaks SSH in a way that cannot be agreed on: {why}")]
    Protocol { address: String, why: String },

    #[error(
        "the host key of {address} has changed: known is {}, it shows {shown}. Somebody may be listening in; if the \
         machine was installed anew, remove the old key first",
        .known.join(", ")
    )]
    HostKeyChanged { address: String, known: Vec<String>, shown: String },
    #[error("the host key of {address}, {shown}, is not known; give its fingerprint or a known_hosts line")]
    HostKeyUnknown { address: String, shown: String },
    #[error("{address} shows no other host key than an RSA key; {}", rsa::refusal(.remedy))]
    RsaOnly { address: String, remedy: &'static str },
    #[error("the host key of {address}, {shown}, is revoked by known_hosts")]
    HostKeyRevoked { address: String, shown: String },
    #[error("the host certificate of {address} is not valid: {why}")]
    HostCertificate { address: String, why: String },

    #[error("{address} does not let {user} in; tried {}; it takes {}", list(.tried), list(.takes))]
    AuthFailed { address: String, user: String, tried: Vec<String>, takes: Vec<String> },
    #[error("there is no key, ssh-agent or password to log in with at {address} as {user}")]
    NothingToTry { address: String, user: String },
    #[error("the private key {name} cannot be used: {why}")]
    UnusableKey { name: String, why: String },

    #[error("{user} at {address} is not root and cannot become it: {why}")]
    NoSudo { address: String, user: String, why: String },
    #[error("{address} does not run systemd, which the agent needs")]
    NoSystemd { address: String },
    #[error("{address} is {machine}, the agent is made for {agent}")]
    WrongArchitecture { address: String, machine: String, agent: String },
    #[error(
        "the disk of {address} is full: {free_kib} KiB are free for {place}, {needed_kib} KiB are needed"
    )]
    DiskFull { address: String, place: String, free_kib: u64, needed_kib: u64 },
    #[error("{address} lacks the programs {}", .programs.join(", "))]
    MissingPrograms { address: String, programs: Vec<String> },
    #[error("{address} is adopted already, by {by}")]
    Claimed { address: String, by: String },
    #[error("{address} has an agent that was not brought over SSH: it is a host of another kind")]
    OtherAgent { address: String },
    #[error("{what} failed at {address} with status {status}: {output}")]
    ScriptFailed { address: String, what: &'static str, status: u32, output: String },
    #[error("{what} at {address} was answered with something else than expected")]
    Unexpected { address: String, what: &'static str },
    #[error("the agent's file cannot be used: {why}")]
    AgentFile { why: String },
    #[error("this coordinator does not have the agent {sha256}")]
    AgentAbsent { sha256: String },
}

impl Error {
    pub(crate) fn caused_by(kind: Kind, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind, source: Some(source.into()) }
    }

    /// What it was caused by, for an error that takes this one's place.
    pub fn into_source(self) -> Option<Box<dyn StdError + Send + Sync>> {
        self.source
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self { kind, source: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

fn words(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(", saying {said:?}") }
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "nothing".to_owned() } else { items.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_name_what_there_is_to_mend() {
        let changed = Kind::HostKeyChanged {
            address: "web:22".into(),
            known: vec!["ssh-ed25519 SHA256:old".into()],
            shown: "ssh-ed25519 SHA256:new".into(),
        };
        let text = Error::from(changed).to_string();
        assert!(text.contains("SHA256:old") && text.contains("SHA256:new"), "{text}");
        let failed = Kind::AuthFailed {
            address: "web:22".into(),
            user: "deploy".into(),
            tried: vec!["key a".into(), "password".into()],
            takes: vec![],
        };
        assert_eq!(
            failed.to_string(),
            "web:22 does not let deploy in; tried key a, password; it takes nothing"
        );
        let dropped = Kind::Dropped { address: "web:22".into(), doing: "logging in", said: String::new() };
        assert_eq!(dropped.to_string(), "web:22 ended the connection while logging in");
    }
}
