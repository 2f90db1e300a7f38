//! The way in over SSH, with the key that the plugin made.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use skep_driver::{DriverError, ErrorKind, Tunnel};
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
    let kind = match error.kind {
        Kind::AgentAbsent { .. } => ErrorKind::Unavailable,
        _ => ErrorKind::Internal,
    };
    DriverError::new(kind, "the agent could not be brought to the machine").caused_by(error)
}

#[cfg(test)]
mod tests {
    use skep_driver::Bootstrap;
    use skep_types::{HostId, IntentId, Secret};

    use super::*;

    #[tokio::test]
    async fn an_agent_that_is_not_here_yet_may_come() {
        let folder = tempfile::tempdir().unwrap();
        let bootstrap = Bootstrap {
            agent_urls: Vec::new(),
            agent_sha256: "ab".to_owned(),
            agent_config: Secret::new(""),
        };
        let newcomer = Newcomer {
            cluster: "c1",
            intent: IntentId::new(1, 1),
            host: HostId::new(1, 1),
            incarnation: 1,
            name: "web",
            bootstrap: &bootstrap,
        };
        let (host, user) = ("192.0.2.1".to_owned(), "root".to_owned());
        let door = Door { host, port: 22, user, key: Secret::new("") };
        let error = SshWayIn::new(folder.path().to_owned()).bring(&door, &newcomer).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable, "{error:?}");
    }
}
