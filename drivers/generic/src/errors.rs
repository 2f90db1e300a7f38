//! What a failure over SSH means for the driver's caller. The kind decides, never the text.

use skep_driver::{DriverError, ErrorKind};
use skep_ssh::{Error, Kind};
use skep_types::FieldViolation;

/// Of a call that had no effect yet.
pub(crate) fn before(error: Error) -> DriverError {
    let kind = match &error.kind {
        Kind::NameNotFound { .. }
        | Kind::Refused { .. }
        | Kind::Unreachable { .. }
        | Kind::TimedOut { .. }
        | Kind::Dropped { .. }
        | Kind::ForwardRefused { .. } => ErrorKind::Unavailable,
        Kind::HostKeyChanged { .. }
        | Kind::HostKeyUnknown { .. }
        | Kind::HostKeyRevoked { .. }
        | Kind::RsaOnly { .. }
        | Kind::HostCertificate { .. }
        | Kind::AuthFailed { .. }
        | Kind::NothingToTry { .. }
        | Kind::UnusableKey { .. }
        | Kind::NoAgent { .. }
        | Kind::NoSudo { .. } => ErrorKind::Auth,
        Kind::Protocol { .. }
        | Kind::NoSystemd { .. }
        | Kind::WrongArchitecture { .. }
        | Kind::DiskFull { .. }
        | Kind::MissingPrograms { .. }
        | Kind::Claimed { .. }
        | Kind::OtherAgent { .. } => unfit(&error),
        Kind::ScriptFailed { .. } | Kind::Unexpected { .. } | Kind::AgentFile { .. } => ErrorKind::Internal,
    };
    told(kind, error)
}

/// Of a call that was under way: what broke off may have had its effect.
pub(crate) fn amid(error: Error) -> DriverError {
    match &error.kind {
        Kind::TimedOut { .. } | Kind::Dropped { .. } => told(ErrorKind::Ambiguous, error),
        _ => before(error),
    }
}

/// The machine cannot be a host as it is.
fn unfit(error: &Error) -> ErrorKind {
    invalid(error.to_string())
}

fn invalid(description: String) -> ErrorKind {
    let field = skep_driver::flags::field("generic-ip-address");
    ErrorKind::InvalidSpec { violations: vec![FieldViolation { field, description }] }
}

/// There is no way to the machine that is gone here.
pub(crate) fn unreachable(why: &str) -> DriverError {
    DriverError::new(invalid(why.to_owned()), why)
}

fn told(kind: ErrorKind, error: Error) -> DriverError {
    let message = error.to_string();
    match error.into_source() {
        Some(source) => DriverError { kind, message, source: Some(source) },
        None => DriverError::new(kind, message),
    }
}

pub(crate) fn not_found(id: &str) -> DriverError {
    DriverError::new(ErrorKind::NotFound, format!("no machine is adopted as {id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_broke_off_is_ambiguous() {
        let kind = |error: DriverError| error.kind;
        let dropped = || Error::from(Kind::Dropped { address: "a".into(), doing: "x", said: String::new() });
        assert_eq!(kind(before(dropped())), ErrorKind::Unavailable);
        assert_eq!(kind(amid(dropped())), ErrorKind::Ambiguous);
        let claimed = Kind::Claimed { address: "a".into(), by: "b".into() };
        assert!(matches!(kind(amid(claimed.into())), ErrorKind::InvalidSpec { .. }));
    }
}
