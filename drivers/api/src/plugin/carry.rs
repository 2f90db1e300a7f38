//! A tunnel's bytes as messages, and back.

use std::io;

use futures::{Stream, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::mpsc;
use tokio_util::bytes::Bytes;

use crate::ByteStream;

/// Of one message.
const CHUNK_BYTES: usize = 32 * 1024;
/// Messages that wait to be sent: a slow reader slows its writer down.
pub(super) const WAITING: usize = 4;
/// What one side of a tunnel may have written and the other not read yet.
pub(super) const BUFFER_BYTES: usize = 64 * 1024;

/// Until either direction ends: its end is that of both.
pub(super) async fn carry<M>(
    stream: impl ByteStream,
    incoming: impl Stream<Item = Bytes> + Unpin,
    outgoing: mpsc::Sender<M>,
    message: impl Fn(Bytes) -> M,
) {
    let (read, write) = split(stream);
    let ended = tokio::select! {
        sent = send(read, outgoing, message) => sent,
        received = receive(incoming, write) => received,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a tunnel broke");
    }
}

async fn send<M>(
    mut from: ReadHalf<impl ByteStream>,
    to: mpsc::Sender<M>,
    message: impl Fn(Bytes) -> M,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let read = from.read(&mut buffer).await?;
        let data = Bytes::copy_from_slice(buffer.get(..read).unwrap_or_default());
        if read == 0 || to.send(message(data)).await.is_err() {
            return Ok(());
        }
    }
}

async fn receive(
    mut from: impl Stream<Item = Bytes> + Unpin,
    mut to: WriteHalf<impl ByteStream>,
) -> io::Result<()> {
    while let Some(data) = from.next().await {
        to.write_all(&data).await?;
        to.flush().await?;
    }
    to.shutdown().await
}
