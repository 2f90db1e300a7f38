//! What the API answers instead of success: a code that programs decide by, and a sentence for people.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use skep_driver::{DriverError, ErrorKind};
use skep_types::FieldViolation;

/// Of a whole request, of one of its instances, or of those that a create did not make.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    #[serde(skip)]
    status: StatusCode,
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<Violation>,
}

/// A field of the request, and what would be right.
#[derive(Debug, Serialize)]
struct Violation {
    field: String,
    description: String,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after_ms: None, violations: Vec::new() }
    }

    pub(super) fn invalid(violations: Vec<FieldViolation>) -> Self {
        let violations: Vec<Violation> = violations.into_iter().map(shown).collect();
        let listed: Vec<String> =
            violations.iter().map(|v| format!("{} {}", v.field, v.description)).collect();
        Self { violations, ..Self::new(StatusCode::BAD_REQUEST, "invalid", listed.join("; ")) }
    }

    pub(super) fn unread(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    pub(super) fn unshown(error: &serde_json::Error) -> Self {
        let message = format!("the answer cannot be written: {error}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    pub(super) fn no_such_action() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no_such_action", "requests are POST /v1/ACTION")
    }

    pub(super) fn unauthorised() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "auth", "the request does not bear this cloud's key")
    }

    pub(super) fn busy(most: usize) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", format!("{most} requests are under way"))
    }

    /// A lost reply has no words: who has to lose one looks for its kind before.
    pub(super) fn of(error: DriverError) -> Self {
        let (status, code) = match &error.kind {
            ErrorKind::InvalidSpec { violations } => return Self::invalid(violations.clone()),
            ErrorKind::Throttled { .. } => (StatusCode::TOO_MANY_REQUESTS, "throttled"),
            ErrorKind::Capacity => (StatusCode::CONFLICT, "capacity"),
            ErrorKind::Quota => (StatusCode::CONFLICT, "quota"),
            ErrorKind::Auth => (StatusCode::UNAUTHORIZED, "auth"),
            ErrorKind::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            ErrorKind::Unsupported => (StatusCode::BAD_REQUEST, "unsupported"),
            ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            ErrorKind::Ambiguous | ErrorKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        let retry_after_ms = match error.kind {
            ErrorKind::Throttled { retry_after } => Some(whole_ms(retry_after)),
            _ => None,
        };
        Self { retry_after_ms, ..Self::new(status, code, error.message) }
    }
}

/// Upwards: who comes too early is throttled again.
fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// The driver's names for what stands in a request.
fn shown(violation: FieldViolation) -> Violation {
    let field = match violation.field.as_str() {
        "slots" => "instances".to_owned(),
        other => other.strip_prefix("template.").unwrap_or(other).to_owned(),
    };
    Violation { field, description: violation.description }
}

/// Why a request has no answer of its own.
#[derive(Debug)]
pub(super) enum Refusal {
    Problem(Problem),
    /// It was done, and the world keeps that to itself: the connection breaks off.
    Lost,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<DriverError> for Refusal {
    fn from(error: DriverError) -> Self {
        match error.kind {
            ErrorKind::Ambiguous => Self::Lost,
            _ => Self::Problem(Problem::of(error)),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => {
                let mut response = super::json(problem.status, &json!({ "error": problem }));
                if let Some(ms) = problem.retry_after_ms {
                    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1000)));
                }
                response
            }
            Self::Lost => lost().into_response(),
        }
    }
}

/// A body that ends before it begins, which ends the connection with it.
fn lost() -> Body {
    let end = async { Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionAborted)) };
    Body::from_stream(futures::stream::once(end))
}
