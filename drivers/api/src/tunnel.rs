//! A stream to a port of an instance.

use std::fmt::Debug;

use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes both ways.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for S {}

/// Lives until either side ends it; whatever it needs on the way to the instance goes with it.
pub struct Tunnel(Box<dyn ByteStream>);

impl Tunnel {
    pub fn new(stream: impl ByteStream + 'static) -> Self {
        Self(Box::new(stream))
    }

    pub fn into_inner(self) -> Box<dyn ByteStream> {
        self.0
    }
}

impl Debug for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tunnel").finish()
    }
}
