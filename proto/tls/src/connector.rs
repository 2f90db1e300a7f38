//! Dials a coordinator for tonic: `Endpoint::connect_with_connector(connector(config))`.
//!
//! The endpoint's URI is written `http://HOST:PORT`: tonic refuses `https://` where a connector of one's own brings
//! the TLS.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::COORDINATOR_NAME;

/// TCP and TLS together. A coordinator answers in milliseconds; a lost packet or two are repeated within this.
const CONNECT: Duration = Duration::from_secs(5);
/// Of the addresses a name resolves to: more would leave each less than a second.
const ADDRESSES: usize = 4;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Finds the addresses of HOST and PORT. Never asked for a literal address.
pub type Resolve = Arc<dyn Fn(String, u16) -> BoxFuture<io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// Why no connection was made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("{uri} is not of the form http://HOST:PORT")]
    Uri { uri: Uri },
    #[error("cannot find the address of {host}")]
    Resolve { host: String, source: io::Error },
    #[error("{host} has no address that can be used")]
    NoAddress { host: String },
    #[error("cannot connect to {address}")]
    Connect { address: SocketAddr, source: io::Error },
    #[error("{address} did not answer within {} ms", within.as_millis())]
    Silent { address: SocketAddr, within: Duration },
    #[error("{address} is not trusted, or does not trust us")]
    Handshake { address: SocketAddr, source: io::Error },
}

/// A tower service from a URI to a TLS stream that tonic and hyper can use.
#[derive(Clone)]
pub struct Connector {
    tls: TlsConnector,
    resolve: Resolve,
    local_address: Option<IpAddr>,
    within: Duration,
}

/// Resolves through the system and waits five seconds; the builder methods change that.
pub fn connector(config: Arc<ClientConfig>) -> Connector {
    Connector {
        tls: TlsConnector::from(config),
        resolve: Arc::new(|host, port| Box::pin(system_resolve(host, port))),
        local_address: None,
        within: CONNECT,
    }
}

/// The client's handshake with a coordinator over a stream that is there already.
pub async fn meet<S>(config: Arc<ClientConfig>, stream: S) -> io::Result<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let name = ServerName::try_from(COORDINATOR_NAME).map_err(io::Error::other)?;
    TlsConnector::from(config).connect(name, stream).await
}

async fn system_resolve(host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((host, port)).await?.take(ADDRESSES).collect())
}

impl Connector {
    /// For programs that cannot use the system's resolver, as static ones.
    #[must_use]
    pub fn with_resolver(mut self, resolve: Resolve) -> Self {
        self.resolve = resolve;
        self
    }

    /// The address to connect from.
    #[must_use]
    pub fn with_local_address(mut self, address: IpAddr) -> Self {
        self.local_address = Some(address);
        self
    }

    /// How long TCP and TLS may take together, over all addresses of the name.
    #[must_use]
    pub fn with_timeout(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// Dials, as the service does, for those who speak no gRPC.
    pub async fn connect(&self, uri: &Uri) -> Result<TlsStream<TcpStream>, ConnectError> {
        let addresses = self.addresses(uri).await?;
        let each = self.within / u32::try_from(addresses.len()).unwrap_or(1).max(1);
        let mut last = ConnectError::NoAddress { host: uri.host().unwrap_or_default().to_owned() };
        for address in addresses {
            match timeout(each, self.dial(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error,
                Err(_) => last = ConnectError::Silent { address, within: each },
            }
        }
        Err(last)
    }

    async fn addresses(&self, uri: &Uri) -> Result<Vec<SocketAddr>, ConnectError> {
        let invalid = || ConnectError::Uri { uri: uri.clone() };
        let host = uri.host().ok_or_else(invalid)?.trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().ok_or_else(invalid)?;
        let mut addresses = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => match timeout(self.within, (self.resolve)(host.clone(), port)).await {
                Ok(Ok(found)) => found,
                Ok(Err(source)) => return Err(ConnectError::Resolve { host, source }),
                Err(elapsed) => {
                    return Err(ConnectError::Resolve { host, source: elapsed.into() });
                }
            },
        };
        addresses
            .retain(|address| self.local_address.is_none_or(|local| local.is_ipv4() == address.is_ipv4()));
        addresses.truncate(ADDRESSES);
        Ok(addresses)
    }

    async fn dial(&self, address: SocketAddr) -> Result<TlsStream<TcpStream>, ConnectError> {
        let tcp = self.dial_tcp(address).await.map_err(|source| ConnectError::Connect { address, source })?;
        let name = ServerName::try_from(COORDINATOR_NAME)
            .map_err(|error| ConnectError::Handshake { address, source: io::Error::other(error) })?;
        self.tls.connect(name, tcp).await.map_err(|source| ConnectError::Handshake { address, source })
    }

    async fn dial_tcp(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(local) = self.local_address {
            socket.bind(SocketAddr::new(local, 0))?;
        }
        let tcp = socket.connect(address).await?;
        // Without it small messages wait for the acknowledgement of the ones before: 69 calls a second.
        tcp.set_nodelay(true)?;
        Ok(tcp)
    }
}

impl tower::Service<Uri> for Connector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = ConnectError;
    type Future = BoxFuture<Result<Self::Response, ConnectError>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect(&uri).await.map(TokioIo::new) })
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("local_address", &self.local_address)
            .field("within", &self.within)
            .finish_non_exhaustive()
    }
}
