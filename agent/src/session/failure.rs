//! What a failed call means for the next one.

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
