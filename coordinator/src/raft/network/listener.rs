//! The raft listener: handshakes beside each other, bounded, and only of coordinators of this cluster.

use std::io;
use std::net::TcpListener as StdListener;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use skep_types::ClusterId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::{Connected, Router};

use super::admission::{Peer, coordinator_of};
use super::{KEEP_ALIVE, MESSAGE_BYTES, PeerService, RaftService};
use skep_proto::raft::peer_server::PeerServer;
use skep_proto::raft::raft_server::RaftServer;

/// A handshake takes milliseconds; a stalled one must not hold its place.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Connections and handshakes at once: a coordinator keeps fewer than ten to each of at most a handful of peers.
const CONNECTIONS: usize = 128;
/// Calls at once on one connection. Snapshots and appends are one each; proposals come many at a time.
const CALLS: u32 = 256;
/// After an error of accept (too many open files) the next one is not tried at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const HEADER_BYTES: u32 = 16 * 1024;

/// Serves both services until `stop`.
pub(in crate::raft) async fn serve(
    listener: StdListener,
    tls: Arc<rustls::ServerConfig>,
    cluster: ClusterId,
    raft: RaftService,
    peer: PeerService,
    stop: CancellationToken,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let (accepted, incoming) = mpsc::channel(1);
    let accepting = accept_all(listener, TlsAcceptor::from(tls), cluster, accepted);
    let serving =
        router(raft, peer).serve_with_incoming_shutdown(ReceiverStream::new(incoming), stop.cancelled());
    tokio::select! {
        () = accepting => Ok(()),
        () = stop.cancelled() => Ok(()),
        served = serving => served.map_err(io::Error::other),
    }
}

fn router(raft: RaftService, peer: PeerService) -> Router {
    let raft = RaftServer::new(raft)
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(MESSAGE_BYTES);
    let peer = PeerServer::new(peer)
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(MESSAGE_BYTES);
    Server::builder()
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
        .max_concurrent_streams(Some(CALLS))
        .http2_max_header_list_size(Some(HEADER_BYTES))
        .add_service(raft)
        .add_service(peer)
}

/// Never ends by itself: errors of single connections are theirs.
async fn accept_all(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    cluster: ClusterId,
    accepted: mpsc::Sender<io::Result<PeerStream>>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut handshakes = tokio::task::JoinSet::new();
    while let Ok(place) = places.clone().acquire_owned().await {
        while handshakes.try_join_next().is_some() {}
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a raft connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        handshakes.spawn(handshake(stream, acceptor.clone(), cluster.clone(), place, accepted.clone()));
    }
}

async fn handshake(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    cluster: ClusterId,
    place: OwnedSemaphorePermit,
    accepted: mpsc::Sender<io::Result<PeerStream>>,
) {
    let from = stream.peer_addr().ok();
    // Without it small messages wait for the acknowledgement of the ones before: 69 writes a second.
    let shaken = match stream.set_nodelay(true) {
        Ok(()) => timeout(HANDSHAKE, acceptor.accept(stream)).await.unwrap_or_else(|late| Err(late.into())),
        Err(error) => Err(error),
    };
    let tls = match shaken {
        Ok(tls) => tls,
        Err(error) => return tracing::debug!(?from, %error, "a raft handshake failed"),
    };
    let certificate = tls.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let Some(id) = certificate.and_then(|certificate| coordinator_of(certificate, &cluster)) else {
        return tracing::warn!(?from, "refused a raft connection of no coordinator of this cluster");
    };
    // An Err says that the server has stopped.
    let _ = accepted.send(Ok(PeerStream { tls, peer: Peer(id), _place: place })).await;
}

/// A connection with its proven peer; holds its place among the connections until it is closed.
#[derive(Debug)]
struct PeerStream {
    tls: TlsStream<TcpStream>,
    peer: Peer,
    _place: OwnedSemaphorePermit,
}

impl Connected for PeerStream {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer
    }
}

impl AsyncRead for PeerStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_read(cx, buffer)
    }
}

impl AsyncWrite for PeerStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }
}
