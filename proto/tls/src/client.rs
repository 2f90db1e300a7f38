//! The client side: which servers are believed, and what is presented to them.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::version::TLS13;
use skep_types::Digest;

use crate::pinned::PinnedRoot;
use crate::server::roots;
use crate::{Error, Swap, provider};

/// What makes a server one of ours.
#[derive(Debug, Clone, Copy)]
pub enum ServerTrust<'a> {
    /// A chain to one of these roots, PEM.
    Roots(&'a str),
    /// A chain that ends in the root with this SHA-256 (of its DER), sent by the server: a join token's way.
    RootDigest(Digest),
}

/// A client configuration, TLS 1.3, that presents what `presented` holds at each handshake: nothing while it is empty.
pub fn client_config(
    trust: ServerTrust<'_>,
    presented: &Swap,
    alpn: &[&[u8]],
) -> Result<Arc<ClientConfig>, Error> {
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        ServerTrust::Roots(pem) => WebPkiServerVerifier::builder_with_provider(roots(pem)?, provider())
            .build()
            .map_err(Error::configuration)?,
        ServerTrust::RootDigest(digest) => Arc::new(PinnedRoot::new(digest, provider())),
    };
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(Error::configuration)?
        // Both verifiers do the full webpki check; "dangerous" only says that we chose one ourselves.
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::new(presented.clone()));
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}
