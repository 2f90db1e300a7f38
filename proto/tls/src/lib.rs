//! Keys, certificates and TLS configurations, for every process of skep.
//!
//! ```text
//! Key ── signing request ──► a coordinator's issuer ──► chain ── Certified ──► Swap ──► server_config · client_config
//!  └──────────────── the same key again, at half-life ◄── renew_after ◄──┘              (seen by the next handshake)
//! ```
//!
//! Nothing here issues certificates: that is the coordinator's. Sessions are never resumed: a resumed session would
//! go on with certificates that were swapped, expired or dismissed meanwhile.

mod certificate;
mod certified;
mod client;
mod clock;
mod connector;
mod error;
mod expired;
mod file;
mod identity;
mod key;
pub mod lifetimes;
mod pinned;
mod server;

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

pub use certificate::{Certificate, chain_from_pem, chain_to_pem, sha256};
pub use certified::{Certified, Swap};
pub use client::{ServerTrust, client_config};
pub use clock::{WallTime, wall_now};
pub use connector::{ConnectError, Connector, Resolve, connector, meet};
pub use error::Error;
pub use file::write_private;
pub use identity::{Identity, ParseIdentityError, Subject};
pub use key::{Key, PublicKey, public_key_of_request};
pub use server::{Clients, ServerTls};

/// The name in every coordinator's certificate. Clients ask for it whatever address they dialled: addresses change,
/// and what has to be proven is "a coordinator of my cluster".
pub const COORDINATOR_NAME: &str = "coordinator.skep";

/// ALPN of the control port: gRPC, and a few plain GETs.
pub const ALPN_CONTROL: &[&[u8]] = &[b"h2", b"http/1.1"];
/// ALPN of what only speaks gRPC.
pub const ALPN_GRPC: &[&[u8]] = &[b"h2"];
/// ALPN of the Docker front door: Docker clients that are offered `h2` break.
pub const ALPN_DOCKER: &[&[u8]] = &[b"http/1.1"];

/// What a coordinator that dials a host's front door says first, before it waits for the agent's TLS hello. No TLS record
/// begins like this, so one port serves both.
pub const SESSION_PREFACE: &[u8; 15] = b"skep-session/1\n";

/// Makes aws-lc-rs the process's cryptography, for libraries that ask rustls for its default. May be called again.
pub fn install_provider() {
    // An Err says that a provider is installed: by an earlier call, as nothing else in the tree brings another.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

#[cfg(test)]
mod tests;
