//! What can go wrong with keys, seals and issuing.

use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("the system gives no random bytes")]
    Random,
    #[error("cannot read the cluster key {path}")]
    ReadKey { path: PathBuf, source: io::Error },
    #[error("the cluster key {path} can be read by everybody: make it mode 0600")]
    OpenKey { path: PathBuf },
    #[error("a cluster key is 32 bytes, written as 64 hexadecimal digits")]
    MalformedKey,
    #[error("{resource} cannot be sealed")]
    Seal { resource: String },
    /// Sealed for another cluster, for another resource or under another key, or damaged: they cannot be told apart.
    #[error("{resource} cannot be unsealed: it is damaged, or this is not its cluster key")]
    Unseal { resource: String },
    #[error("{resource} is sealed in format {format}, which this version does not know")]
    UnknownFormat { resource: String, format: u32 },
    #[error("{text:?} is neither an IP address nor a host name")]
    Name { text: String },
    #[error("the certificate cannot be made")]
    Issue(#[from] rcgen::Error),
    #[error(transparent)]
    Tls(#[from] skep_tls::Error),
}
