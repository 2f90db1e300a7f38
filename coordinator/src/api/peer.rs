//! The other end of a connection, as the listener that accepted it knows.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

/// Put into every request's extensions by the server; a request without it is answered with nothing but a refusal.
#[derive(Debug, Clone)]
pub struct PeerCertificates {
    pub address: SocketAddr,
    /// Whether it was this coordinator that opened the connection.
    pub dialled: bool,
    /// As the handshake verified it, leaf first; None for a peer that showed none.
    pub chain: Option<Arc<Vec<CertificateDer<'static>>>>,
}

impl PeerCertificates {
    pub fn leaf(&self) -> Option<&[u8]> {
        self.chain.as_ref().and_then(|chain| chain.first()).map(AsRef::as_ref)
    }
}
