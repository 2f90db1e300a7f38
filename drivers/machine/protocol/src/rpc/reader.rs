//! Values out of a stream of bytes.

use tokio::io::{AsyncRead, AsyncReadExt, BufReader};

use super::ConnectionError;
use crate::gob::{Decoder, MESSAGE_BYTES, Value, uint_bytes};

#[derive(Debug)]
pub(super) struct ValueReader<R> {
    input: BufReader<R>,
    decoder: Decoder,
}

impl<R: AsyncRead + Unpin> ValueReader<R> {
    pub(super) fn new(input: BufReader<R>) -> Self {
        Self { input, decoder: Decoder::default() }
    }

    pub(super) async fn value(&mut self) -> Result<Value, ConnectionError> {
        let mut messages = Vec::new();
        loop {
            messages.push(self.message().await?);
            if let Some(value) = self.decoder.decode(&messages)? {
                return Ok(value);
            }
        }
    }

    async fn message(&mut self) -> Result<Vec<u8>, ConnectionError> {
        let length = self.length().await?;
        let allowed = usize::try_from(length).is_ok_and(|length| length <= MESSAGE_BYTES);
        if !allowed {
            return Err(ConnectionError::MessageTooLarge(length));
        }
        // Grows with what comes, not to what was announced.
        let mut message = Vec::new();
        (&mut self.input).take(length).read_to_end(&mut message).await?;
        if message.len() as u64 == length { Ok(message) } else { Err(ConnectionError::Closed) }
    }

    async fn length(&mut self) -> Result<u64, ConnectionError> {
        let mut first = [0];
        if self.input.read(&mut first).await? == 0 {
            return Err(ConnectionError::Closed);
        }
        match uint_bytes(first[0]) {
            None => Ok(u64::from(first[0])),
            Some(count) if count <= 8 => {
                let mut bytes = [0; 8];
                self.input.read_exact(&mut bytes[8 - count..]).await?;
                Ok(u64::from_be_bytes(bytes))
            }
            Some(_) => Err(ConnectionError::MessageTooLarge(u64::MAX)),
        }
    }
}
