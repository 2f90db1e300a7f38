//! Why a command did not do what it was asked, and how that is told.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use tonic::Status;
use tonic_types::StatusExt;

use crate::client::mistrust;
use crate::exit::Exit;

type Source = Box<dyn Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Also `--help` and `--version`, which clap hands out as errors.
    #[error("{0}")]
    CommandLine(#[from] clap::Error),
    #[error("{0}")]
    Usage(String),
    #[error("cannot read {path}")]
    Config { path: PathBuf, source: Source },
    #[error("{0}")]
    Files(#[from] skep_tls::Error),
    #[error(
        "the certificate {path} has expired; ask an admin for a new one (`skep person put NAME --write-config FOLDER`)"
    )]
    Expired { path: PathBuf },
    #[error("cannot write {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot start {program}")]
    Start { program: PathBuf, source: io::Error },
    /// A coordinator's answer.
    #[error("{}", .0.message())]
    Refused(Box<Status>),
    /// No coordinator answered, for as long as we were willing to ask.
    #[error("no coordinator answers ({coordinators})")]
    Unreachable { coordinators: String, source: Source },
    /// The state does not allow it; the message says which.
    #[error("{0}")]
    Precondition(String),
    /// The answer lacks what the interface promises.
    #[error("the coordinator's answer is not usable: {0}")]
    Answer(String),
    #[error("the operation {id} ended as {state}")]
    Operation { id: String, state: String },
    /// Each was told when it happened.
    #[error("{count} of {of} failed")]
    Several { count: usize, of: usize, exit: Exit },
    /// A driver program on this machine.
    #[error("{0}")]
    Program(String),
    #[error("interrupted")]
    Interrupted,
    /// How to go on was told when it happened.
    #[error("detached")]
    Detached,
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Refused(Box::new(status))
    }
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::CommandLine(error) if !error.use_stderr() => Exit::Done,
            Self::CommandLine(_) | Self::Usage(_) | Self::Config { .. } => Exit::Usage,
            Self::Refused(status) => Exit::of(status.code()),
            Self::Unreachable { source, .. } if mistrust(source.as_ref()) => Exit::Forbidden,
            Self::Expired { .. } => Exit::Forbidden,
            Self::Unreachable { .. } => Exit::Unavailable,
            Self::Precondition(_) => Exit::Conflict,
            Self::Several { exit, .. } => *exit,
            Self::Interrupted | Self::Detached => Exit::Detached,
            // A reader that has seen enough, such as `head`.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Files(_)
            | Self::Write { .. }
            | Self::Start { .. }
            | Self::Answer(_)
            | Self::Operation { .. }
            | Self::Program(_)
            | Self::Output(_) => Exit::Failed,
        }
    }

    /// What is written to stderr, with its line ends; empty where nothing is left to say.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::CommandLine(error) => error.to_string(),
            Self::Detached => String::new(),
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => String::new(),
            Self::Refused(status) => refusal(status),
            other => format!("skep: {}\n", chain(other)),
        }
    }
}

/// The message, then one line for each field that has to be mended.
fn refusal(status: &Status) -> String {
    let message = match status.message() {
        "" => status.code().description(),
        message => message,
    };
    let violations =
        status.get_details_bad_request().map(|details| details.field_violations).unwrap_or_default();
    let lines: Vec<String> = violations
        .iter()
        .map(|violation| format!("{}: {}", violation.field, violation.description))
        .collect();
    // For programs that read no details, coordinators repeat the fields at the message's end.
    let said = lines.iter().rev().fold(message, |rest, line| {
        rest.strip_suffix(line.as_str()).map_or(rest, |rest| rest.trim_end_matches([';', ' ']))
    });
    let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    format!("skep: {said}\n{lines}")
}

/// An error and its sources, each said once: some repeat their source in their own text.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let said = source.to_string();
        // "transport error" is tonic's name for "see below".
        if said != "transport error" && !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = source.source();
    }
    text
}
