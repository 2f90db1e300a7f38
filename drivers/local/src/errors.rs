//! What the engine's refusals and silences mean: the one table from its errors to a driver's.

use bollard::errors::Error;
use skep_driver::{DriverError, ErrorKind};

/// For calls that change nothing: silence is only silence.
pub(crate) fn reading(message: impl Into<String>) -> impl FnOnce(Error) -> DriverError {
    move |error| DriverError::new(kind(&error, ErrorKind::Unavailable), message).caused_by(error)
}

/// For calls with an effect: after silence it may exist.
pub(crate) fn changing(message: impl Into<String>) -> impl FnOnce(Error) -> DriverError {
    move |error| DriverError::new(kind(&error, ErrorKind::Ambiguous), message).caused_by(error)
}

/// The HTTP status, where the engine answered.
pub(crate) fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

fn kind(error: &Error, on_silence: ErrorKind) -> ErrorKind {
    match error {
        Error::DockerResponseServerError { status_code, message } => answered(*status_code, message),
        Error::SocketNotFoundError(_) => ErrorKind::Unavailable,
        Error::HyperLegacyError { err } if err.is_connect() => ErrorKind::Unavailable,
        Error::HyperLegacyError { .. }
        | Error::HyperResponseError { .. }
        | Error::IOError { .. }
        | Error::RequestTimeoutError => on_silence,
        // It was answered, and nobody knows what: that it was done, perhaps.
        Error::JsonDataError { .. } | Error::JsonSerdeError { .. } if on_silence == ErrorKind::Ambiguous => {
            on_silence
        }
        // What is left: an answer or a request that bollard could not put into words.
        _ => ErrorKind::Internal,
    }
}

fn answered(status: u16, message: &str) -> ErrorKind {
    match status {
        400 => ErrorKind::InvalidSpec { violations: Vec::new() },
        404 => ErrorKind::NotFound,
        // The engine has no code for a full disk: its text is the kernel's, and all there is to go by.
        500 if message.contains("no space left on device") => ErrorKind::Capacity,
        503 => ErrorKind::Unavailable,
        _ => ErrorKind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status_code: u16, message: &str) -> Error {
        Error::DockerResponseServerError { status_code, message: message.to_owned() }
    }

    #[test]
    fn an_answer_is_never_ambiguous() {
        for status in [400, 403, 404, 409, 500, 503] {
            assert_ne!(changing("")(answer(status, "")).kind, ErrorKind::Ambiguous, "{status}");
        }
    }

    #[test]
    fn silence_is_ambiguous_only_after_an_effect_was_asked_for() {
        assert_eq!(changing("")(Error::RequestTimeoutError).kind, ErrorKind::Ambiguous);
        assert_eq!(reading("")(Error::RequestTimeoutError).kind, ErrorKind::Unavailable);
    }

    #[test]
    fn a_missing_engine_is_unavailable_whatever_was_asked() {
        let gone = Error::SocketNotFoundError("/var/run/docker.sock".to_owned());
        assert_eq!(changing("")(gone).kind, ErrorKind::Unavailable);
    }

    #[test]
    fn a_full_disk_is_a_lack_of_capacity() {
        let full = answer(500, "mkdir /var/lib/docker/x: no space left on device");
        assert_eq!(changing("")(full).kind, ErrorKind::Capacity);
    }
}
