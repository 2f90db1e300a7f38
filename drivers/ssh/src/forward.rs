//! Streams to addresses beyond a machine, through its SSH server.

use std::time::Duration;

use russh::ChannelOpenFailure;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::connection::Link;
use crate::{Connection, Error, Kind};

/// Who is told to the server as the one that asks: nobody else's address is its business.
const ORIGINATOR: (&str, u32) = ("127.0.0.1", 0);

impl Connection {
    /// A stream to `host:port` as the machine reaches it (`127.0.0.1` is the machine itself). Lives as long as this
    /// connection.
    pub async fn forward(
        &self,
        host: &str,
        port: u16,
        limit: Duration,
    ) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static, Error> {
        through(&self.inner.target, host, port, limit).await
    }
}

pub(crate) async fn through(
    link: &Link,
    host: &str,
    port: u16,
    limit: Duration,
) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static, Error> {
    let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let open = link.handle.channel_open_direct_tcpip(host, u32::from(port), ORIGINATOR.0, ORIGINATOR.1);
    match timeout(limit, Box::pin(open)).await {
        Err(_) => {
            Err(Kind::TimedOut { address, doing: "connecting through a jump host", after: limit }.into())
        }
        Ok(Err(russh::Error::ChannelOpenFailure(failure))) => {
            let jump = link.address.clone();
            Err(Kind::ForwardRefused { jump, address, why: why(&failure) }.into())
        }
        Ok(Err(error)) => Err(link.explain("opening a forward", error)),
        Ok(Ok(channel)) => Ok(channel.into_stream()),
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
