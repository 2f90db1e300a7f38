//! Docker Engine over its Unix socket.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::events::Events;
use super::{
    Engine, EngineError, EngineErrorKind, EngineFacts, EngineView, Join, Node, NodeChange, Swarm,
    docker_swarm, translate,
};

/// An engine that does not answer a question within this time is not ready.
const QUESTION: Duration = Duration::from_secs(5);
/// Docker gives a join 20 s and answers then; a client that hangs up before learns nothing.
const ACT: Duration = Duration::from_secs(45);

/// Speaks the API version that the engine and this client share, agreed at first contact and again after the engine
/// was lost, since it may come back as another version.
#[derive(Debug)]
pub struct Docker {
    socket: PathBuf,
    /// Where the front door listens on this host.
    door: u16,
    client: Mutex<Option<bollard::Docker>>,
    events: Events,
}

impl Docker {
    pub fn new(socket: &Path, door: u16) -> Self {
        Self { socket: socket.to_owned(), door, client: Mutex::new(None), events: Events::default() }
    }

    async fn client(&self) -> Result<bollard::Docker, EngineError> {
        let mut client = self.client.lock().await;
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let fresh = bollard::Docker::connect_with_unix(
            &self.socket.to_string_lossy(),
            ACT.as_secs(),
            bollard::API_DEFAULT_VERSION,
        )?;
        let fresh = timeout(QUESTION, fresh.negotiate_version()).await.map_err(|_| silent())??;
        Ok(client.insert(fresh).clone())
    }

    /// One call with a bound. A lost engine is agreed with anew.
    async fn call<T, F, R>(&self, bound: Duration, call: F) -> Result<T, EngineError>
    where
        F: FnOnce(bollard::Docker) -> R + Send,
        R: Future<Output = Result<T, EngineError>> + Send,
    {
        let client = self.client().await?;
        let result = timeout(bound, call(client)).await.unwrap_or_else(|_| Err(silent()));
        if let Err(error) = &result
            && matches!(error.kind, EngineErrorKind::Unreachable | EngineErrorKind::Unknown)
        {
            self.client.lock().await.take();
        }
        result
    }
}

fn silent() -> EngineError {
    EngineError::new(EngineErrorKind::Unknown, "the engine did not answer in time")
}

#[async_trait]
impl Engine for Docker {
    async fn look(&self) -> Result<EngineView, EngineError> {
        self.call(QUESTION, async |client: bollard::Docker| {
            let info = client.info().await?;
            Ok(EngineView {
                node: translate::local_node(info.swarm),
                facts: EngineFacts {
                    version: info.server_version.unwrap_or_default(),
                    api_version: client.client_version().to_string(),
                    operating_system: info.operating_system.unwrap_or_default(),
                    kernel: info.kernel_version.unwrap_or_default(),
                    architecture: info.architecture.unwrap_or_default(),
                },
            })
        })
        .await
    }

    async fn door(&self) -> Result<(), EngineError> {
        match timeout(QUESTION, TcpStream::connect((Ipv4Addr::LOCALHOST, self.door))).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => {
                Err(EngineError::new(EngineErrorKind::Unreachable, "the front door is not open yet"))
            }
        }
    }

    async fn nodes(&self) -> Result<Vec<Node>, EngineError> {
        self.call(QUESTION, docker_swarm::nodes).await
    }

    async fn swarm(&self) -> Result<Swarm, EngineError> {
        self.call(QUESTION, docker_swarm::swarm).await
    }

    async fn init(&self, advertise: IpAddr) -> Result<(), EngineError> {
        self.call(ACT, |client| docker_swarm::init(client, advertise)).await
    }

    async fn join(&self, join: &Join) -> Result<(), EngineError> {
        self.call(ACT, |client| docker_swarm::join(client, join.clone())).await
    }

    async fn leave(&self, force: bool) -> Result<(), EngineError> {
        self.call(ACT, |client| docker_swarm::leave(client, force)).await
    }

    async fn update_node(&self, change: &NodeChange) -> Result<(), EngineError> {
        self.call(ACT, |client| docker_swarm::update_node(client, change.clone())).await
    }

    async fn remove_node(&self, node_id: &str, force: bool) -> Result<(), EngineError> {
        let node_id = node_id.to_owned();
        self.call(ACT, |client| docker_swarm::remove_node(client, node_id, force)).await
    }

    async fn changed(&self) {
        match self.client().await {
            Ok(client) => self.events.next(&client).await,
            Err(_) => std::future::pending().await,
        }
    }
}
