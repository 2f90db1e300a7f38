//! Who may come in: clients of one issuer, less the denied ones.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt;
use skep_tls::{ALPN_DOCKER, Certificate, Certified, Key, ServerTls, Swap};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::identity::IdentityRecord;
use crate::store::{Record, Store, StoreError, read_json};

/// A client that vanished without a word gives its place back after about two minutes.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);
const KEEPALIVE_TRIES: u32 = 4;

/// Made anew whenever the agent's record changes.
#[derive(Clone)]
pub(super) struct Admission {
    record: Arc<IdentityRecord>,
    denied: Arc<BTreeSet<String>>,
    acceptor: TlsAcceptor,
}

impl Admission {
    /// None before the host is enrolled.
    pub(super) async fn read(store: &dyn Store) -> Result<Option<Self>, AdmissionError> {
        let Some(key) = store.read(Record::Key).await? else { return Ok(None) };
        let record: Option<IdentityRecord> = read_json(store, Record::Identity).await?;
        record.map(|record| Self::new(&String::from_utf8_lossy(&key), record)).transpose()
    }

    fn new(key_pem: &str, record: IdentityRecord) -> Result<Self, AdmissionError> {
        let certified = Certified::from_pem(&record.docker_certificate, &Key::from_pem(key_pem)?)?;
        let presented = Swap::new(certified);
        let tls = ServerTls::new(&record.docker_client_ca, &presented, ALPN_DOCKER).with_tls12().build()?;
        let denied = record.docker_denied_serials.iter().cloned().collect();
        Ok(Self { record: Arc::new(record), denied: Arc::new(denied), acceptor: TlsAcceptor::from(tls) })
    }

    pub(super) async fn admit(&self, tcp: TcpStream) -> Result<TlsStream<TcpStream>, AdmissionError> {
        prepare(&tcp)?;
        let client = self.acceptor.accept(tcp).await?;
        let leaf = client.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let serial = Certificate::from_der(leaf.ok_or(AdmissionError::Nameless)?)?.serial;
        if self.denied.contains(&serial) {
            return Err(AdmissionError::Denied { serial });
        }
        Ok(client)
    }
}

fn prepare(tcp: &TcpStream) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    sockopt::set_socket_keepalive(tcp, true)?;
    sockopt::set_tcp_keepidle(tcp, KEEPALIVE_IDLE)?;
    sockopt::set_tcp_keepintvl(tcp, KEEPALIVE_EVERY)?;
    Ok(sockopt::set_tcp_keepcnt(tcp, KEEPALIVE_TRIES)?)
}

impl PartialEq for Admission {
    fn eq(&self, other: &Self) -> bool {
        self.record == other.record
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission").field("denied", &self.denied).finish_non_exhaustive()
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum AdmissionError {
    #[error("the agent's records are not usable")]
    Store(#[from] StoreError),
    #[error("a key or certificate is not usable")]
    Tls(#[from] skep_tls::Error),
    #[error("no handshake")]
    Handshake(#[from] io::Error),
    #[error("the client showed no certificate")]
    Nameless,
    #[error("the client certificate {serial} is denied")]
    Denied { serial: String },
}
