//! The way in over SSH, with the key that the plugin made.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use skep_driver::{DriverError, ErrorKind, Tunnel};
use skep_ssh::machine::{Agent, Marker};
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
    /// Agents by their digest.
    agents: PathBuf,
}

impl SshWayIn {
    pub fn new(agents: PathBuf) -> Self {
        Self { agents }
    }

    async fn agent(&self, sha256: &str) -> Result<Agent, DriverError> {
        let failed = |why: &str| DriverError::new(ErrorKind::Internal, why.to_owned());
        // It becomes a path; the digest itself is checked at the machine.
        if sha256.is_empty() || !sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(failed("the agent's digest is none"));
        }
        let bytes = tokio::fs::read(self.agents.join(sha256)).await;
        let bytes = bytes.map_err(|error| failed("this coordinator has no such agent").caused_by(error))?;
        Agent::new(bytes).map_err(|error| failed("the agent cannot be used").caused_by(error))
    }
}

#[async_trait]
impl WayIn for SshWayIn {
    async fn bring(&self, door: &Door, newcomer: &Newcomer<'_>) -> Result<Option<String>, DriverError> {
        let agent = self.agent(&newcomer.bootstrap.agent_sha256).await?;
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
