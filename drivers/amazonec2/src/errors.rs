//! What EC2's answers, and the lack of one, mean to skep.

mod codes;

use std::collections::BTreeSet;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use skep_driver::{DriverError, ErrorKind};

pub(crate) use codes::kind_of;

/// What a call is for, which decides what a refusal means, and the lack of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Reads,
    /// What there is already, or what many instances share.
    Changes,
    /// Instances, of a type, place and market that others may stand in for.
    Makes,
}

/// A call that EC2 refused or did not answer.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// EC2's own code; empty where nothing was answered.
    pub(crate) code: String,
    /// Instances that are named in EC2's words, which has no other place for those that it refuses a request for.
    pub(crate) named: BTreeSet<String>,
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
            other if lacks_credentials(other) => ErrorKind::Auth,
            other => unanswered(other, effect),
        };
        let named = named(error.message().unwrap_or_default());
        let message = match error.message() {
            Some(said) if !code.is_empty() => format!("{doing}: {code}: {}", shortened(said)),
            _ if lacks_credentials(&error) => format!("{doing}: {NOBODY_SIGNS}"),
            _ => doing.to_owned(),
        };
        let failed = DriverError::new(kind, message);
        // The answer is in the message; of a broken connection the source is all there is.
        let error = if code.is_empty() { failed.caused_by(error) } else { failed };
        Refusal { code, named, error }
    }
}

/// As in "The instance IDs 'i-1, i-2' do not exist".
fn named(said: &str) -> BTreeSet<String> {
    let words = said.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| word.starts_with("i-")).map(str::to_owned).collect()
}

/// Refusals for want of permission carry kilobytes of an encoded explanation.
const SAID_BYTES: usize = 400;

fn shortened(said: &str) -> &str {
    &said[..said.floor_char_boundary(SAID_BYTES)]
}

/// Keys of an account are never asked for, so there were none.
const NOBODY_SIGNS: &str = "the account has no access key, and this coordinator found no role to act with: its machine's \
     metadata (169.254.169.254) told of none. Give the account access-key and secret-key by `skep account rotate`, or \
     run its coordinators on instances with a role";

/// Nothing was sent: there was nobody to sign it.
fn lacks_credentials(error: &(dyn std::error::Error + 'static)) -> bool {
    causes(error).any(|cause| cause.is::<CredentialsError>())
}

/// The error itself first.
fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
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

/// The operating system's own word, at the end of the connector's.
fn never_connected(failure: &aws_smithy_runtime_api::client::result::DispatchFailure) -> bool {
    let refused = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionRefused)
    };
    failure.as_connector_error().is_some_and(|error| causes(error).any(refused))
}

pub(crate) fn lost(effect: Effect) -> ErrorKind {
    match effect {
        Effect::Reads => ErrorKind::Unavailable,
        Effect::Changes | Effect::Makes => ErrorKind::Ambiguous,
    }
}

/// The same error for one more who asked, with its causes in the message: a source has one owner.
pub(crate) fn again(error: &DriverError) -> DriverError {
    DriverError::new(error.kind.clone(), skep_types::chain(error))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::operation::run_instances::RunInstancesError;
    use aws_smithy_runtime_api::client::result::ConnectorError;

    use super::*;

    type Failed = SdkError<RunInstancesError, HttpResponse>;

    fn kind(error: Failed) -> ErrorKind {
        refusal("doing", Effect::Changes)(error).error.kind
    }

    #[test]
    fn without_an_answer_the_way_it_was_lost_decides() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let failed = |io: std::io::Error| Failed::dispatch_failure(ConnectorError::io(io.into()));
        assert_eq!(kind(failed(refused)), ErrorKind::Unavailable);
        assert_eq!(kind(failed(reset)), ErrorKind::Ambiguous);
        assert_eq!(kind(Failed::timeout_error("late")), ErrorKind::Ambiguous);
        assert_eq!(kind(Failed::construction_failure("odd")), ErrorKind::Internal);
    }

    #[test]
    fn instances_are_read_out_of_ec2s_words() {
        let said = "The instance IDs 'i-0f5d8ccc56c69fae4, i-0eecca434287a1a33' do not exist";
        assert_eq!(named(said), ["i-0eecca434287a1a33", "i-0f5d8ccc56c69fae4"].map(str::to_owned).into());
        let said = "You can't stop the Spot Instance 'i-06a78b0c244a12343' because it is associated with a one-time request";
        assert_eq!(named(said), ["i-06a78b0c244a12343".to_owned()].into());
        assert!(named("Request limit exceeded.").is_empty());
    }

    #[test]
    fn an_error_told_again_names_all_that_caused_it() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let failed = Failed::dispatch_failure(ConnectorError::io(refused.into()));
        let told = again(&refusal("EC2 did not stop the instances", Effect::Changes)(failed).error);
        assert_eq!(told.kind, ErrorKind::Unavailable);
        assert!(told.message.starts_with("EC2 did not stop the instances: "), "{told}");
        assert!(told.message.ends_with("connection refused"), "{told}");
    }

    #[test]
    fn want_of_credentials_is_for_the_account_to_mend() {
        let nobody = || CredentialsError::not_loaded("there is no role");
        assert_eq!(kind(Failed::construction_failure(nobody())), ErrorKind::Auth);
        let failed = Failed::dispatch_failure(ConnectorError::other(nobody().into(), None));
        assert_eq!(kind(failed), ErrorKind::Auth);
        let error = refusal("doing", Effect::Reads)(Failed::construction_failure(nobody())).error;
        assert!(error.message.starts_with("doing: the account has no access key"), "{error}");
    }
}
