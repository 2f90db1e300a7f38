//! The control port: gRPC, health, reflection and a few HTTPS GETs behind one mTLS listener.

mod accept;
mod http;
mod link;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TlsConnectInfo;

use crate::api::PeerCertificates;

pub use http::HttpState;
pub(crate) use link::Link;
use link::Peer;

/// Requests of one connection under way at once: a person's or an agent's, never a crowd's.
const REQUESTS_PER_CONNECTION: usize = 256;
/// Until a call answers; streams answer at once and go on. Longer than a driver takes to check a template.
const CALL: Duration = Duration::from_secs(60);
/// HTTP/2 streams of one connection.
const STREAMS: u32 = 256;
/// A peer that does not answer a ping this long is gone.
const KEEPALIVE: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// Headers of one request: certificates do not travel in them.
const HEADER_BYTES: u32 = 16 * 1024;
/// Streams reset by a peer before they were accepted (CVE-2023-44487).
const PENDING_RESETS: usize = 32;
/// How long a shutdown waits for calls under way; streams were told to go before.
const DRAIN: Duration = Duration::from_secs(5);

/// Says who is calling, in the words the rest of the coordinator uses.
async fn tell_peer(mut request: Request, next: Next) -> Response {
    if let Some(info) = request.extensions().get::<TlsConnectInfo<Peer>>() {
        let Peer { address, dialled } = *info.get_ref();
        let peer = PeerCertificates { address, dialled, chain: info.peer_certs() };
        request.extensions_mut().insert(peer);
    }
    next.run(request).await
}

/// Where connections come from: those who dial us, and those we dialled.
#[derive(Debug)]
pub(crate) struct Connections {
    pub(crate) listener: TcpListener,
    pub(crate) dialled: mpsc::Receiver<Link>,
}

/// Serves until `shutdown`, then lets calls under way finish, within a bound.
pub(crate) async fn serve(
    connections: Connections,
    tls: Arc<ServerConfig>,
    grpc: Routes,
    http: HttpState,
    shutdown: CancellationToken,
) -> Result<(), tonic::transport::Error> {
    let connections = accept::spawn(connections, tls, shutdown.clone());
    let app = grpc.into_axum_router().merge(http::router(http)).layer(from_fn(tell_peer));
    let server = Server::builder()
        .accept_http1(true)
        .tcp_nodelay(true)
        .timeout(CALL)
        .concurrency_limit_per_connection(REQUESTS_PER_CONNECTION)
        .max_concurrent_streams(STREAMS)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .http2_max_header_list_size(HEADER_BYTES)
        .http2_max_pending_accept_reset_streams(Some(PENDING_RESETS))
        .add_routes(app.into());
    let stopping = shutdown.clone();
    let serving = server.serve_with_incoming_shutdown(ReceiverStream::new(connections), async move {
        stopping.cancelled().await
    });
    let drained = async {
        shutdown.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        ended = serving => ended,
        () = drained => {
            tracing::warn!("calls were still under way at the end of the drain");
            Ok(())
        }
    }
}
