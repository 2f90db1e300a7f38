//! Who may do what, and the secrets that prove it.
//!
//! ```text
//! cluster key (a file outside data and backups) ── sealer ──► issuers' keys and other secrets, sealed in the log
//! issuers: raft · control · docker ── issue ──► certificates, for public keys only
//! peer certificate ── identity ──► caller ── roles ──► may it call this method?
//! ```
//!
//! Nothing here reads the replicated state: whether a host lives, and which role and generation a person has, is
//! looked up per call by whoever asks.

mod ca;
mod cluster_key;
mod error;
mod identity;
mod issue;
mod roles;
mod seal;
mod tokens;

pub use ca::{Issuer, Issuers};
pub use cluster_key::ClusterKey;
pub use error::TrustError;
pub use identity::Caller;
pub use issue::Issued;
pub use roles::{Access, access};
pub use seal::Sealer;
pub use tokens::{JoinToken, ParseTokenError, Token};

/// Bytes nobody can guess.
fn random<const N: usize>() -> Result<[u8; N], TrustError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| TrustError::Random)?;
    Ok(bytes)
}
