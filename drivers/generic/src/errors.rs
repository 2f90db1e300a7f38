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
        | Kind::ForwardRefused { .. }
        | Kind::AgentAbsent { .. } => ErrorKind::Unavailable,
        Kind::HostKeyChanged { .. }
        | Kind::HostKeyUnknown { .. }
        | Kind::HostKeyRevoked { .. }
        | Kind::RsaOnly { .. }
        | Kind::HostCertificate { .. }
        | Kind::AuthFailed { .. }
        | Kind::NothingToTry { .. }
        | Kind::UnusableKey { .. }
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
    if broke_off(&error.kind) { told(ErrorKind::Ambiguous, error) } else { before(error) }
}

pub(crate) fn broke_off(kind: &Kind) -> bool {
    matches!(kind, Kind::TimedOut { .. } | Kind::Dropped { .. })
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

    /// What a person reads, and whether waiting, another login, or another machine helps.
    #[test]
    fn each_way_it_fails_is_said_and_classed() {
        let a = || "web:22".to_owned();
        let (unavailable, auth) = (ErrorKind::Unavailable, ErrorKind::Auth);
        let late = std::time::Duration::from_secs(10);
        let tried = vec!["key office (ssh-ed25519 SHA256:x)".to_owned(), "password".to_owned()];
        let no_sudo = "sudo asks for a password, and none is given".to_owned();
        let kinds = [
            (Kind::NameNotFound { host: "web".into() }, "\"web\" has no address", Some(&unavailable)),
            (Kind::Refused { address: a() }, "refuses connections", Some(&unavailable)),
            (
                Kind::TimedOut { address: a(), doing: "connecting", after: late },
                "within 10 s",
                Some(&unavailable),
            ),
            (
                Kind::HostKeyChanged { address: a(), known: vec!["old".into()], shown: "new".into() },
                "has changed: known is old, it shows new",
                Some(&auth),
            ),
            (
                Kind::AuthFailed {
                    address: a(),
                    user: "root".into(),
                    tried,
                    takes: vec!["publickey".into()],
                },
                "tried key office (ssh-ed25519 SHA256:x), password; it takes publickey",
                Some(&auth),
            ),
            (
                Kind::NoSudo { address: a(), user: "deploy".into(), why: no_sudo },
                "deploy at web:22 is not root and cannot become it: sudo asks for a password",
                Some(&auth),
            ),
            (Kind::NoSystemd { address: a() }, "does not run systemd, which the agent needs", None),
            (
                Kind::WrongArchitecture { address: a(), machine: "armv7l".into(), agent: "x86_64".into() },
                "is armv7l, the agent is made for x86_64",
                None,
            ),
            (
                Kind::DiskFull { address: a(), place: "/var".into(), free_kib: 100, needed_kib: 10_240 },
                "disk of web:22 is full: 100 KiB are free for /var, 10240 KiB are needed",
                None,
            ),
        ];
        for (kind, said, class) in kinds {
            let error = before(kind.into());
            assert!(error.message.contains(said), "{error}");
            match class {
                Some(class) => assert_eq!(&error.kind, class, "{error}"),
                None => assert!(matches!(error.kind, ErrorKind::InvalidSpec { .. }), "{error}"),
            }
        }
    }

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
