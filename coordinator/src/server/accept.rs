//! Connections, those that came and those that were dialled, go through TLS handshakes that run beside each other, bounded
//! in number and time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::{Connections, Link};

/// A handshake costs about half a millisecond of CPU: this many at once keep two cores busy, and no more wait in memory.
const HANDSHAKES: usize = 256;
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Accepted connections that the server has not taken yet.
const ACCEPTED: usize = 64;
/// After accept failed (out of file descriptors, mostly).
const PAUSE: Duration = Duration::from_millis(50);

pub(super) type Connection = Result<TlsStream<Link>, io::Error>;

pub(super) fn spawn(
    mut from: Connections,
    tls: Arc<ServerConfig>,
    shutdown: CancellationToken,
) -> mpsc::Receiver<Connection> {
    let (accepted, connections) = mpsc::channel(ACCEPTED);
    tokio::spawn(async move {
        let gate = Arc::new(Semaphore::new(HANDSHAKES));
        let acceptor = TlsAcceptor::from(tls);
        loop {
            let Ok(permit) = Arc::clone(&gate).acquire_owned().await else { return };
            let link = tokio::select! {
                tcp = from.listener.accept() => tcp.map(|(tcp, peer)| Link::accepted(tcp, peer)),
                Some(link) = from.dialled.recv() => Ok(link),
                () = shutdown.cancelled() => return,
            };
            let link = match link {
                Ok(link) => link,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let (acceptor, accepted) = (acceptor.clone(), accepted.clone());
            tokio::spawn(async move {
                if let Some(connection) = handshake(acceptor, link).await {
                    // The server takes no more: it is shutting down.
                    let _stopped = accepted.send(Ok(connection)).await;
                }
                drop(permit);
            });
        }
    });
    connections
}

async fn handshake(acceptor: TlsAcceptor, link: Link) -> Option<TlsStream<Link>> {
    match tokio::time::timeout(HANDSHAKE, acceptor.accept(link)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!("a handshake took too long");
            None
        }
    }
}

#[cfg(test)]
mod tests;
