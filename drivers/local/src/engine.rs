//! The connection to the machine's Docker Engine, made at first use.

use std::path::PathBuf;
use std::time::Duration;

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, Docker};
use skep_driver::{DriverError, ErrorKind};
use tokio::sync::OnceCell;

/// Longer than an orderly stop, shorter than what a caller grants one driver call (120 s).
const REQUEST: Duration = Duration::from_secs(90);

#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// The engine's Unix socket.
    pub socket: PathBuf,
}

impl Default for LocalConfig {
    fn default() -> Self {
        Self { socket: PathBuf::from("/var/run/docker.sock") }
    }
}

#[derive(Debug)]
pub(crate) struct Engine {
    socket: PathBuf,
    docker: OnceCell<Docker>,
}

impl Engine {
    pub(crate) fn new(config: LocalConfig) -> Self {
        Self { socket: config.socket, docker: OnceCell::new() }
    }

    /// A client that speaks the newest API version both sides know.
    pub(crate) async fn docker(&self) -> Result<&Docker, DriverError> {
        self.docker.get_or_try_init(|| self.connect()).await
    }

    async fn connect(&self) -> Result<Docker, DriverError> {
        let message = "the Docker Engine of this machine does not answer";
        // Also one that refuses: what it may be doing all the same is not known.
        let failed = |error: Error| DriverError::new(ErrorKind::Unavailable, message).caused_by(error);
        let socket = self.socket.to_string_lossy();
        match Docker::connect_with_unix(&socket, REQUEST.as_secs(), API_DEFAULT_VERSION) {
            Ok(docker) => docker.negotiate_version().await.map_err(failed),
            Err(error) => Err(failed(error)),
        }
    }
}
