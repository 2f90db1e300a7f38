//! Streams to a machine itself and to addresses beyond it, through its SSH server.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use russh::client::Msg;
use russh::{ChannelOpenFailure, ChannelStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;

use crate::connection::Link;
use crate::{Connection, Error, Kind};

/// Who is told to the server as the one that asks: nobody else's address is its business.
const ORIGINATOR: (&str, u32) = ("127.0.0.1", 0);
const LOOPBACK: &str = "127.0.0.1";
/// Whoever listens there answers at once.
const LOOPBACK_ANSWERS: Duration = Duration::from_secs(10);

/// A stream that keeps its connection: this ends with its last stream, where nobody else holds it.
pub struct Forward {
    // In this order: the stream says that it ends before its connection does.
    stream: ChannelStream<Msg>,
    connection: Connection,
}

impl Connection {
    /// A stream to `host:port` as the machine reaches it (`127.0.0.1` is the machine itself).
    pub async fn forward(&self, host: &str, port: u16, limit: Duration) -> Result<Forward, Error> {
        let stream = through(&self.inner.target, host, port, limit).await?;
        Ok(Forward { stream, connection: self.clone() })
    }

    /// A stream to `port` of the machine as it reaches itself: no firewall stands there.
    pub async fn loopback(&self, port: u16) -> Result<Forward, Error> {
        self.forward(LOOPBACK, port, LOOPBACK_ANSWERS).await
    }
}

pub(crate) async fn through(
    link: &Link,
    host: &str,
    port: u16,
    limit: Duration,
) -> Result<ChannelStream<Msg>, Error> {
    let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let refused = |why| Error::from(Kind::ForwardRefused { jump: link.address.clone(), address, why });
    let open = link.handle.channel_open_direct_tcpip(host, u32::from(port), ORIGINATOR.0, ORIGINATOR.1);
    match timeout(limit, Box::pin(open)).await {
        Err(_) => Err(refused(format!("there was no answer within {} s", limit.as_secs()))),
        Ok(Err(russh::Error::ChannelOpenFailure(failure))) => Err(refused(why(&failure))),
        Ok(Err(error)) => Err(link.explain("opening a forward", error)),
        Ok(Ok(channel)) => Ok(channel.into_stream()),
    }
}

impl AsyncRead for Forward {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Forward {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl std::fmt::Debug for Forward {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Forward").field("connection", &self.connection).finish_non_exhaustive()
    }
}

fn why(failure: &ChannelOpenFailure) -> String {
    match failure {
        ChannelOpenFailure::AdministrativelyProhibited => "its settings forbid forwarding".to_owned(),
        ChannelOpenFailure::ConnectFailed => "it cannot connect there".to_owned(),
        ChannelOpenFailure::UnknownChannelType => "it does not know how".to_owned(),
        ChannelOpenFailure::ResourceShortage => "it has too many open already".to_owned(),
        ChannelOpenFailure::Other { reason, .. } => reason.clone(),
    }
}
