//! Agent binaries of this coordinator: read once, shared by all machines that get them.

use std::path::PathBuf;
use std::sync::Arc;

use skep_driver::{DriverError, ErrorKind};
use skep_ssh::machine::Agent;
use tokio::fs;
use tokio::sync::Mutex;

use crate::errors;

/// While fifty machines are adopted the file is read once. More than one digest is in use only during an upgrade.
#[derive(Debug)]
pub(crate) struct Agents {
    folder: PathBuf,
    latest: Mutex<Option<(String, Arc<Agent>)>>,
}

impl Agents {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, latest: Mutex::new(None) }
    }

    /// `sha256` in lower-case hex. Machines check it against what they got.
    pub(crate) async fn get(&self, sha256: &str) -> Result<Arc<Agent>, DriverError> {
        let mut latest = self.latest.lock().await;
        if let Some((digest, agent)) = &*latest
            && digest == sha256
        {
            return Ok(Arc::clone(agent));
        }
        if sha256.is_empty() || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(DriverError::new(ErrorKind::Internal, "the agent's digest is no SHA-256"));
        }
        let bytes = fs::read(self.folder.join(sha256)).await.map_err(|error| {
            let message = format!("this coordinator does not have the agent {sha256}");
            DriverError::new(ErrorKind::Unavailable, message).caused_by(error)
        })?;
        let agent = Arc::new(Agent::new(bytes).map_err(errors::before)?);
        *latest = Some((sha256.to_owned(), Arc::clone(&agent)));
        Ok(agent)
    }
}
