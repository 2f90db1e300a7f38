//! What EC2's answers, and the lack of one, mean to skep.

mod codes;

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use skep_driver::{DriverError, ErrorKind};

pub(crate) use codes::kind_of;

/// Whether a call that got no answer may have changed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Reads,
    Changes,
}

/// A call that EC2 refused or did not answer.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// EC2's own code; empty where nothing was answered.
    pub(crate) code: String,
    pub(crate) error: DriverError,
}

impl From<Refusal> for DriverError {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

/// For `map_err`: `doing` is what failed, as in "EC2 did not list the instances".
pub(crate) fn refusal<E>(doing: &'static str, effect: Effect) -> impl Fn(SdkError<E, HttpResponse>) -> Refusal
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    move |error| {
        let status = error.raw_response().map_or(0, |response| response.status().as_u16());
        let code = error.code().unwrap_or_default().to_owned();
        let kind = match &error {
            SdkError::ServiceError(_) => kind_of(&code, status, effect),
            other => unanswered(other, effect),
        };
        let message = match error.message() {
            Some(said) if !code.is_empty() => format!("{doing}: {code}: {}", shortened(said)),
            _ => doing.to_owned(),
        };
        let failed = DriverError::new(kind, message);
        // The answer is in the message; of a broken connection the source is all there is.
        let error = if code.is_empty() { failed.caused_by(error) } else { failed };
        Refusal { code, error }
    }
}

/// Refusals for want of permission carry kilobytes of an encoded explanation.
const SAID_BYTES: usize = 400;

fn shortened(said: &str) -> &str {
    &said[..said.floor_char_boundary(SAID_BYTES)]
}

fn unanswered<E>(error: &SdkError<E, HttpResponse>, effect: Effect) -> ErrorKind {
    match error {
        SdkError::ConstructionFailure(_) => ErrorKind::Internal,
        // Not even connected: nothing was sent.
        SdkError::DispatchFailure(failure) if failure.is_user() => ErrorKind::Internal,
        SdkError::DispatchFailure(failure) if never_connected(failure) => ErrorKind::Unavailable,
        _ => lost(effect),
    }
}

/// The connector says "connect" of errors before the request; the chain has the operating system's own word.
fn never_connected(failure: &aws_smithy_runtime_api::client::result::DispatchFailure) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> =
        failure.as_connector_error().map(|error| error as &(dyn std::error::Error + 'static));
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::ConnectionRefused
        {
            return true;
        }
        cause = error.source();
    }
    false
}

pub(crate) fn lost(effect: Effect) -> ErrorKind {
    match effect {
        Effect::Reads => ErrorKind::Unavailable,
        Effect::Changes => ErrorKind::Ambiguous,
    }
}
