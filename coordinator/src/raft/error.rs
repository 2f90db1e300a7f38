//! Why something could not be proposed, read or changed.

use std::error::Error;
use std::fmt;

use super::snapshot::SnapshotError;
use super::store::StoreError;

/// A kind that says what to do, and what happened.
#[derive(Debug)]
pub struct ProposeError {
    kind: ProposeErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposeErrorKind {
    /// Nobody leads, or it is not known who. Trying again helps.
    NoLeader,
    /// It took too long. It may still be applied: propose it again.
    Timeout,
    /// More is waiting to be proposed than is good. Trying later helps.
    Exhausted,
    /// Another change of the membership is under way. Trying again helps.
    Busy,
    /// One command is larger than an entry may be. Only a smaller one helps.
    TooLarge,
    /// This coordinator is stopping.
    Shutdown,
    /// The disk failed, or holds what cannot be read; this coordinator has stopped taking part.
    Storage,
}

impl ProposeError {
    pub(super) fn new(kind: ProposeErrorKind) -> Self {
        Self { kind, source: None }
    }

    pub(super) fn caused(kind: ProposeErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, source: Some(source.into()) }
    }

    pub fn kind(&self) -> ProposeErrorKind {
        self.kind
    }
}

impl fmt::Display for ProposeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ProposeErrorKind::NoLeader => "the cluster has no leader that can be reached",
            ProposeErrorKind::Timeout => "the cluster did not answer in time",
            ProposeErrorKind::Exhausted => "too much is waiting to be written",
            ProposeErrorKind::Busy => "another change of the cluster's members is under way",
            ProposeErrorKind::TooLarge => "the request is too large to be written",
            ProposeErrorKind::Shutdown => "this coordinator is stopping",
            ProposeErrorKind::Storage => "this coordinator's storage has failed",
        })
    }
}

impl Error for ProposeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the log cannot be used")]
    Store(#[from] StoreError),
    #[error("the snapshots cannot be used")]
    Snapshot(#[from] SnapshotError),
    #[error("the timings are wrong: {0}")]
    Config(String),
    #[error("the raft runtime cannot be started")]
    Runtime(#[source] std::io::Error),
    #[error("raft refuses to start: {0}")]
    Raft(String),
}
