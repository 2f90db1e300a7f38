//! What a failed call, or the end of a session, means for the next one.

use skep_proto::agent::Goodbye;
use tonic::{Code, Status};

#[derive(Debug)]
pub(super) enum Failure {
    /// The coordinator decided against this agent.
    Refused(String),
    /// Anything that may be different at the next try.
    Lost(String),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        match status.code() {
            Code::PermissionDenied | Code::Unauthenticated | Code::NotFound => {
                Self::Refused(status.message().to_owned())
            }
            code => Self::Lost(format!("{code}: {}", status.message())),
        }
    }
}

/// How a session ended.
pub(super) enum End {
    Failure(Failure),
    Goodbye(Goodbye),
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Status> for End {
    fn from(status: Status) -> Self {
        Self::Failure(status.into())
    }
}
