//! Coordinators that dial this host: told apart from Docker's clients by their first byte, and handed to the agent.

use std::io;
use std::path::Path;

use skep_tls::SESSION_PREFACE;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::ProxyLimits;
use super::splice::splice;

/// Whether the preface follows. A Docker client's TLS record begins with another byte, and is not touched.
pub(super) async fn by_coordinator(tcp: &TcpStream) -> io::Result<bool> {
    let mut first = [0; 1];
    let seen = tcp.peek(&mut first).await?;
    Ok(seen == 1 && first[0] == SESSION_PREFACE[0])
}

/// Reads the preface, and carries the rest to the agent: whether it is a coordinator's, the agent finds out.
pub(super) async fn hand_over(mut tcp: TcpStream, socket: &Path, limits: &ProxyLimits) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let mut preface = [0; SESSION_PREFACE.len()];
    timeout(limits.handshake, tcp.read_exact(&mut preface)).await??;
    if preface != *SESSION_PREFACE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "neither TLS nor a coordinator"));
    }
    let agent = UnixStream::connect(socket).await?;
    splice(tcp, agent, limits.linger).await
}
