//! Connections to other coordinators.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use skep_types::{ClusterId, CoordinatorId};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

use super::KEEP_ALIVE;
use super::admission::coordinator_of;
use crate::raft::types::Node;

/// TCP and TLS together. Longer than a lost SYN takes to be repeated; an election does not wait for it.
const CONNECT: Duration = Duration::from_millis(1500);

/// Makes channels that only ever reach the coordinator they are for.
#[derive(Debug, Clone)]
pub(in crate::raft) struct Dialer {
    cluster: ClusterId,
    tls: Arc<ClientConfig>,
}

impl Dialer {
    pub(in crate::raft) fn new(cluster: ClusterId, tls: Arc<ClientConfig>) -> Self {
        Self { cluster, tls }
    }

    /// Connects when it is first used, and again after it broke.
    pub(super) fn channel(&self, target: CoordinatorId, node: &Node) -> Channel {
        let dialer = self.clone();
        let connector = service_fn(move |uri: Uri| {
            let dialer = dialer.clone();
            async move { dialer.dial(target, &uri).await.map(TokioIo::new) }
        });
        endpoint(&node.raft_address).connect_with_connector_lazy(connector)
    }

    /// An address may have passed to somebody else: what answers has to be the coordinator that is meant.
    async fn dial(&self, target: CoordinatorId, uri: &Uri) -> io::Result<TlsStream<TcpStream>> {
        let connector = skep_tls::connector(self.tls.clone()).with_timeout(CONNECT);
        let stream = connector.connect(uri).await.map_err(io::Error::other)?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let found = certificate.and_then(|certificate| coordinator_of(certificate, &self.cluster));
        if found != Some(target) {
            return Err(io::Error::other(format!("{uri} is not coordinator {target}")));
        }
        Ok(stream)
    }
}

/// An address that is no URI gives an endpoint whose every use fails, like one where nobody listens.
fn endpoint(address: &str) -> Endpoint {
    Endpoint::from_shared(format!("http://{address}"))
        .unwrap_or_else(|_| Endpoint::from_static("http://invalid.invalid:1"))
        .connect_timeout(CONNECT)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true)
}
