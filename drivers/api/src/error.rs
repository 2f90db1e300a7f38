//! Why a driver call did not do what it should: a kind that decides what happens next, and a source for people.

use std::error::Error;
use std::time::Duration;

use skep_types::FieldViolation;

/// The kind alone decides what skep does; the text is never looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// Too many calls: the same call again, after this long.
    Throttled {
        retry_after: Duration,
    },
    /// The zone or type is out of capacity: another one may have some.
    Capacity,
    /// The account's limit: only a person can raise it.
    Quota,
    Auth,
    /// The template can never work; the violations name its options.
    InvalidSpec {
        violations: Vec<FieldViolation>,
    },
    /// Proof of absence only after the settle window, or for an id once observed.
    NotFound,
    /// The driver's endpoint did not answer, before anything was sent that could have had an effect.
    Unavailable,
    /// Something was sent and no answer came: the effect may exist.
    Ambiguous,
    Unsupported,
    /// A defect of the driver.
    Internal,
}

/// One failed call, or one failed item of a call.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct DriverError {
    pub kind: ErrorKind,
    /// A sentence for people, without the source's text and without secrets.
    pub message: String,
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl DriverError {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}
