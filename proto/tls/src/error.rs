//! What can be wrong with keys, certificates and their files.

use std::io;
use std::path::PathBuf;

type Source = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("the private key is not usable")]
    Key(#[source] Source),
    #[error("the signing request is not usable")]
    Request(#[source] Source),
    #[error("the certificate is not usable")]
    Certificate(#[source] Source),
    #[error("the certificate, its key and the roots make no TLS configuration")]
    Configuration(#[source] Source),
}

impl Error {
    pub(crate) fn key(source: impl Into<Source>) -> Self {
        Self::Key(source.into())
    }

    pub(crate) fn request(source: impl Into<Source>) -> Self {
        Self::Request(source.into())
    }

    pub(crate) fn certificate(source: impl Into<Source>) -> Self {
        Self::Certificate(source.into())
    }

    pub(crate) fn configuration(source: impl Into<Source>) -> Self {
        Self::Configuration(source.into())
    }
}
