//! The way in over SSH, with the key that the plugin made.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use skep_driver::{Bootstrap, DriverError, ErrorKind, Tunnel};
use skep_ssh::machine::{Agents, Marker};
use skep_ssh::{
    Connection, Deadlines, Error, Hop, HostKeys, Identity, Kind, Login, Route, Rsa, Stranger, connect,
};
use tokio::time::{Instant, sleep};
use tracing::debug;

use crate::way_in::{Door, Newcomer, WayIn};

/// From the end of Create to the first login. Clouds say that a machine runs when its processor does; a user with the
/// key is there when cloud-init has made it.
const FIRST_LOGIN: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct SshWayIn {
    agents: Agents,
}

impl SshWayIn {
    pub fn new(agents: PathBuf) -> Self {
        Self { agents: Agents::new(agents) }
    }
}

#[async_trait]
impl WayIn for SshWayIn {
    async fn ready(&self, bootstrap: &Bootstrap) -> Result<(), DriverError> {
        let agent = self.agents.get(&bootstrap.agent_sha256).await;
        agent.map(drop).map_err(|error| {
            let kind = match error.kind {
                Kind::AgentAbsent { .. } => ErrorKind::Unavailable,
                _ => ErrorKind::Internal,
            };
            DriverError::new(kind, "there is no agent here to be brought to machines").caused_by(error)
        })
    }

    async fn bring(&self, door: &Door, newcomer: &Newcomer<'_>) -> Result<Option<String>, DriverError> {
        let agent = self.agents.get(&newcomer.bootstrap.agent_sha256).await.map_err(failed)?;
        let marker = Marker {
            cluster: newcomer.cluster.to_owned(),
            host: newcomer.host.to_string(),
            incarnation: newcomer.incarnation,
            intent: newcomer.intent.to_string(),
            name: newcomer.name.to_owned(),
            place: String::new(),
        };
        let connection = first_login(&route(door).map_err(failed)?).await.map_err(failed)?;
        let adopted = connection.adopt(&marker, &agent, newcomer.bootstrap).await;
        let key = connection.host_key().line.clone();
        connection.close().await;
        adopted.map_err(failed)?;
        Ok(Some(key))
    }

    async fn tunnel(&self, door: &Door, host_key: &str, port: u16) -> Result<Tunnel, DriverError> {
        let unreached = |error: Error| {
            DriverError::new(ErrorKind::Unavailable, "the machine's SSH server leads nowhere")
                .caused_by(error)
        };
        let mut route = route(door).map_err(unreached)?;
        route.target.keys.stranger = Stranger::Refuse;
        route.target.keys.pin(host_key).map_err(|kind| unreached(kind.into()))?;
        let connection = connect(&route).await.map_err(unreached)?;
        connection.loopback(port).await.map(Tunnel::new).map_err(unreached)
    }
}

/// To a machine whose key is not known.
fn route(door: &Door) -> Result<Route, Error> {
    let identity = Identity::key("the plugin's", &door.key, None)?;
    let login = Login { user: door.user.clone(), identities: vec![identity], sudo_password: None };
    // The machine was made a moment ago: nobody can know its key yet. Plugins make RSA keys, nearly all of them.
    let (host, port) = (door.host.clone(), door.port);
    let target = Hop { host, port, login, keys: HostKeys::default(), rsa: Rsa::Sha2 };
    Ok(Route { jumps: Vec::new(), target, deadlines: Deadlines::default() })
}

async fn first_login(route: &Route) -> Result<Connection, Error> {
    let deadline = Instant::now() + FIRST_LOGIN;
    loop {
        match connect(route).await {
            Err(error) if comes_with_time(&error.kind) && Instant::now() < deadline => {
                debug!(%error, "the machine lets nobody in yet");
                sleep(PAUSE).await;
            }
            result => return result,
        }
    }
}

fn comes_with_time(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::NameNotFound { .. }
            | Kind::Refused { .. }
            | Kind::Unreachable { .. }
            | Kind::TimedOut { .. }
            | Kind::Dropped { .. }
            | Kind::AuthFailed { .. }
    )
}

fn failed(error: Error) -> DriverError {
    DriverError::new(ErrorKind::Internal, "the agent could not be brought to the machine").caused_by(error)
}

#[cfg(test)]
mod tests {
    use skep_types::Secret;

    use super::*;

    #[tokio::test]
    async fn an_agent_that_is_not_here_yet_may_come() {
        let folder = tempfile::tempdir().unwrap();
        let way_in = SshWayIn::new(folder.path().to_owned());
        let ready = async |sha256: &str| {
            let agent_sha256 = sha256.to_owned();
            let agent_config = Secret::new("");
            way_in.ready(&Bootstrap { agent_urls: Vec::new(), agent_sha256, agent_config }).await
        };
        assert_eq!(ready("ab").await.unwrap_err().kind, ErrorKind::Unavailable);
        assert_eq!(ready("../ab").await.unwrap_err().kind, ErrorKind::Internal);
        std::fs::copy("/usr/bin/env", folder.path().join("ab")).unwrap();
        ready("ab").await.unwrap();
    }
}
