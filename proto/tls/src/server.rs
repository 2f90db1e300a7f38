//! The server side: who may connect, with what, and what is presented to them.

use std::sync::Arc;

use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};

use crate::expired::AdmitsExpired;
use crate::{Error, Swap, chain_from_pem, provider};

/// Which clients finish the handshake. What they may do is decided per call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clients {
    /// With a valid certificate of the roots: raft, the Docker front door.
    Certified,
    /// Also without one: what has an answer for callers without a name.
    Anybody,
    /// Also without one, and with one that has expired: the control port, where agents enrol and renew. Every call
    /// must then look at [`Certificate::expired`](crate::Certificate::expired).
    AnybodyAndExpired,
}

/// Builds a server's configuration. Certificates change through the [`Swap`]; roots change by building another.
#[derive(Debug)]
pub struct ServerTls<'a> {
    roots_pem: &'a str,
    presented: &'a Swap,
    clients: Clients,
    alpn: &'a [&'a [u8]],
    tls12: bool,
}

impl<'a> ServerTls<'a> {
    /// TLS 1.3, certified clients only.
    pub fn new(roots_pem: &'a str, presented: &'a Swap, alpn: &'a [&'a [u8]]) -> Self {
        Self { roots_pem, presented, clients: Clients::Certified, alpn, tls12: false }
    }

    #[must_use]
    pub fn clients(mut self, clients: Clients) -> Self {
        self.clients = clients;
        self
    }

    /// TLS 1.2 as well: Docker clients of older distributions know nothing newer.
    #[must_use]
    pub fn with_tls12(mut self) -> Self {
        self.tls12 = true;
        self
    }

    pub fn build(self) -> Result<Arc<ServerConfig>, Error> {
        let versions: &[_] = if self.tls12 { &[&TLS13, &TLS12] } else { &[&TLS13] };
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .map_err(Error::configuration)?
            .with_client_cert_verifier(self.verifier()?)
            .with_cert_resolver(Arc::new(self.presented.clone()));
        config.alpn_protocols = self.alpn.iter().map(|name| name.to_vec()).collect();
        // No resumption: a resumed session keeps the certificates of the first one. No early data follows from it.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    fn verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, Error> {
        let builder = WebPkiClientVerifier::builder_with_provider(roots(self.roots_pem)?, provider());
        let builder = match self.clients {
            Clients::Certified => builder,
            Clients::Anybody | Clients::AnybodyAndExpired => builder.allow_unauthenticated(),
        };
        let verifier = builder.build().map_err(Error::configuration)?;
        Ok(match self.clients {
            Clients::Certified | Clients::Anybody => verifier,
            Clients::AnybodyAndExpired => Arc::new(AdmitsExpired::new(verifier)),
        })
    }
}

pub(crate) fn roots(pem: &str) -> Result<Arc<RootCertStore>, Error> {
    let mut roots = RootCertStore::empty();
    for root in chain_from_pem(pem)? {
        roots.add(root).map_err(Error::certificate)?;
    }
    Ok(Arc::new(roots))
}
