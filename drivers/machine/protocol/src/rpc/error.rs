//! Why a call has no result.

use std::io;
use std::sync::Arc;

use crate::gob::{GobError, MESSAGE_BYTES};

#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// The method's own error, in its own words, which may be as long as a message. All that Go's `net/rpc` tells of an
    /// error is its text.
    #[error("{0}")]
    Refused(String),
    /// The argument cannot be sent; nothing was.
    #[error("the argument cannot be written")]
    Argument(#[source] GobError),
    /// There is no connection any more: the call may have been carried out.
    #[error("the connection has ended")]
    Broken(#[source] Arc<ConnectionError>),
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    #[error("the other side closed it")]
    Closed,
    #[error("reading or writing failed")]
    Io(#[from] io::Error),
    #[error("the other side does not speak Go's net/rpc over HTTP")]
    Handshake,
    #[error("a message of {0} bytes was announced, more than {MESSAGE_BYTES}")]
    MessageTooLarge(u64),
    #[error("the stream makes no sense")]
    Gob(#[from] GobError),
    #[error("a reply has no header")]
    NoHeader,
    #[error("a reply belongs to no call")]
    UnknownCall,
}

impl ConnectionError {
    /// Whether the other side sent what nobody may, rather than just went away.
    pub fn is_lie(&self) -> bool {
        !matches!(self, Self::Closed | Self::Io(_))
    }
}
