//! Refusals as gRPC statuses: the one table, and the details that programs read.

use std::error::Error;
use std::time::Duration;

use skep_types::{Code, Refusal};
use tonic::{Response, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::raft::{ProposeError, ProposeErrorKind};

/// How long a client should wait before it asks again: an election takes about half a second.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// A handler's result, as tonic wants it.
pub(super) fn answer<T>(result: Result<T, Refusal>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(|refusal| status(&refusal))
}

/// The status of a refusal: its code, its message, and as details the fields to mend or when to try again.
pub fn status(refusal: &Refusal) -> Status {
    let mut details = ErrorDetails::new();
    for violation in &refusal.violations {
        details.add_bad_request_violation(&violation.field, &violation.description);
    }
    if matches!(refusal.code, Code::Unavailable | Code::Exhausted) {
        details.set_retry_info(Some(RETRY_AFTER));
    }
    // The whole text, for clients that do not read details.
    Status::with_error_details(code(refusal.code), refusal.to_string(), details)
}

fn code(code: Code) -> tonic::Code {
    match code {
        Code::Invalid => tonic::Code::InvalidArgument,
        Code::NotFound => tonic::Code::NotFound,
        Code::AlreadyExists => tonic::Code::AlreadyExists,
        Code::Precondition => tonic::Code::FailedPrecondition,
        Code::Conflict => tonic::Code::Aborted,
        Code::Unauthenticated => tonic::Code::Unauthenticated,
        Code::Forbidden => tonic::Code::PermissionDenied,
        Code::Exhausted => tonic::Code::ResourceExhausted,
        Code::Unavailable => tonic::Code::Unavailable,
        Code::Compacted => tonic::Code::OutOfRange,
        Code::Internal => tonic::Code::Internal,
    }
}

/// The status of a call for which the log could not be written or read.
pub fn unavailable(error: impl Into<Refusal>) -> Status {
    status(&error.into())
}

impl From<ProposeError> for Refusal {
    fn from(error: ProposeError) -> Self {
        let code = match error.kind() {
            ProposeErrorKind::NoLeader
            | ProposeErrorKind::Timeout
            | ProposeErrorKind::Busy
            | ProposeErrorKind::Shutdown
            | ProposeErrorKind::Storage => Code::Unavailable,
            ProposeErrorKind::Exhausted => Code::Exhausted,
            ProposeErrorKind::TooLarge => Code::Invalid,
        };
        tracing::debug!(error = &error as &dyn Error, "the log did not answer");
        Self::new(code, error.to_string())
    }
}

/// A defect of skep: logged whole, told in one line.
pub(super) fn internal(message: &'static str, error: &(dyn Error + 'static)) -> Refusal {
    tracing::error!(error, message, "a request met a defect");
    Refusal::new(Code::Internal, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_hints_travel_as_details_and_in_the_text() {
        let status = status(&Refusal::field("count", "is 0; ask for 1 to 100000"));
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        assert_eq!(status.message(), "the request is invalid; count: is 0; ask for 1 to 100000");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, "count");
        assert_eq!(violations[0].description, "is 0; ask for 1 to 100000");
    }

    #[test]
    fn what_passes_by_itself_says_when_to_try_again() {
        for code in [Code::Unavailable, Code::Exhausted] {
            let status = status(&Refusal::new(code, "later"));
            assert_eq!(status.get_details_retry_info().unwrap().retry_delay, Some(RETRY_AFTER));
        }
        assert!(status(&Refusal::new(Code::NotFound, "no")).get_details_retry_info().is_none());
    }
}
