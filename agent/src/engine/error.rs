//! Why a call of the engine did not do what it should.

type Source = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineErrorKind {
    /// The engine did not answer, and nothing was sent to it.
    Unreachable,
    /// Something was sent and no usable answer came.
    Unknown,
    NotFound,
    /// The engine said no. Docker shares its codes among causes, so the reason is for people only.
    Refused,
}

#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct EngineError {
    pub kind: EngineErrorKind,
    /// For people; without secrets.
    pub message: String,
    #[source]
    source: Option<Source>,
}

impl EngineError {
    pub fn new(kind: EngineErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// The one place that knows bollard's errors.
impl From<bollard::errors::Error> for EngineError {
    fn from(error: bollard::errors::Error) -> Self {
        use bollard::errors::Error as B;
        match error {
            B::DockerResponseServerError { status_code: 404, message } => {
                Self::new(EngineErrorKind::NotFound, message)
            }
            B::DockerResponseServerError { message, .. } => Self::new(EngineErrorKind::Refused, message),
            B::SocketNotFoundError(path) => {
                Self::new(EngineErrorKind::Unreachable, format!("the engine's socket {path} does not exist"))
            }
            B::HyperLegacyError { err } if err.is_connect() => {
                Self::new(EngineErrorKind::Unreachable, "the engine's socket does not answer").caused_by(err)
            }
            B::RequestTimeoutError => {
                Self::new(EngineErrorKind::Unknown, "the engine did not answer in time")
            }
            other => Self::new(EngineErrorKind::Unknown, "the engine's answer was lost").caused_by(other),
        }
    }
}
