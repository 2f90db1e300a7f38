//! Agent binaries of this coordinator: read once, shared by all machines that get them.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::fs;
use tokio::sync::Mutex;

use super::Agent;
use crate::{Error, Kind};

/// While fifty machines are adopted the file is read once. More than one digest is in use only during an upgrade.
#[derive(Debug)]
pub struct Agents {
    /// Agents by their digest.
    folder: PathBuf,
    latest: Mutex<Option<(String, Arc<Agent>)>>,
}

impl Agents {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, latest: Mutex::new(None) }
    }

    /// `sha256` in lower-case hex. Machines check it against what they got.
    pub async fn get(&self, sha256: &str) -> Result<Arc<Agent>, Error> {
        let mut latest = self.latest.lock().await;
        if let Some((digest, agent)) = &*latest
            && digest == sha256
        {
            return Ok(Arc::clone(agent));
        }
        // It becomes a path.
        if sha256.is_empty() || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Kind::AgentFile { why: "its digest is no SHA-256".to_owned() }.into());
        }
        let absent = || Kind::AgentAbsent { sha256: sha256.to_owned() };
        let bytes = fs::read(self.folder.join(sha256)).await;
        let bytes = bytes.map_err(|error| Error::caused_by(absent(), error))?;
        let agent = Arc::new(Agent::new(bytes)?);
        *latest = Some((sha256.to_owned(), Arc::clone(&agent)));
        Ok(agent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_agent_is_read_once_and_one_that_is_not_there_may_come() {
        let folder = tempfile::tempdir().unwrap();
        let agents = Agents::new(folder.path().to_owned());
        let kind = async |sha256| agents.get(sha256).await.unwrap_err().kind;
        assert_eq!(kind("ab").await, Kind::AgentAbsent { sha256: "ab".to_owned() });
        assert!(matches!(kind("../ab").await, Kind::AgentFile { .. }));
        std::fs::write(folder.path().join("cd"), "no program").unwrap();
        assert!(matches!(kind("cd").await, Kind::AgentFile { .. }));

        std::fs::copy("/usr/bin/env", folder.path().join("ab")).unwrap();
        let first = agents.get("ab").await.unwrap();
        std::fs::remove_file(folder.path().join("ab")).unwrap();
        assert!(Arc::ptr_eq(&first, &agents.get("ab").await.unwrap()));
    }
}
