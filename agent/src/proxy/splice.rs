//! Two streams made one.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy, split};
use tokio::time::timeout;

/// Carries bytes and half-closes both ways.
///
/// A client that ended its input goes on reading for as long as the engine talks: ending both directions with the
/// first loses the output of `docker run -i` after its input ended. Once the engine ended, the client has `linger`.
pub(super) async fn splice<C, E>(client: C, engine: E, linger: Duration) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite,
    E: AsyncRead + AsyncWrite,
{
    let (client_read, client_write) = split(client);
    let (engine_read, engine_write) = split(engine);
    let up = carry(client_read, engine_write);
    let down = carry(engine_read, client_write);
    tokio::pin!(up, down);
    tokio::select! {
        ended = &mut down => ended?,
        ended = &mut up => {
            if ended.as_ref().is_err_and(client_is_gone) {
                return ended;
            }
            // Without TLS's goodbye it is still only the end of the client's input: many clients leave it out.
            let heard = down.await;
            return ended.and(heard);
        }
    }
    // Nobody waits for what the client says now; a time-out is as good an end.
    timeout(linger, up).await.unwrap_or(Ok(()))
}

/// What only the client's TCP connection answers: the engine's socket breaks with a broken pipe, and may still have
/// something to say.
fn client_is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::TimedOut)
}

/// One direction, with its end.
async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    let carried = copy(&mut from, &mut to).await;
    // A reader that broke off has still ended; the other side must learn of it.
    let ended = to.shutdown().await;
    carried.map(drop).and(ended)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, duplex};

    use super::*;

    const LINGER: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn output_after_the_end_of_input_arrives() {
        let (mut client, near) = duplex(64);
        let (mut engine, far) = duplex(64);
        let spliced = tokio::spawn(splice(near, far, LINGER));
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut heard = String::new();
        engine.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "question");
        engine.write_all(b"answer").await.unwrap();
        engine.shutdown().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "answer");
        spliced.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn input_after_the_end_of_output_arrives() {
        let (mut client, near) = duplex(64);
        let (mut engine, far) = duplex(64);
        let spliced = tokio::spawn(splice(near, far, LINGER));
        engine.shutdown().await.unwrap();
        let mut nothing = Vec::new();
        client.read_to_end(&mut nothing).await.unwrap();
        client.write_all(b"late").await.unwrap();
        client.shutdown().await.unwrap();
        let mut heard = String::new();
        engine.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "late");
        spliced.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_never_ends_lingers_within_its_bound() {
        let (_client, near) = duplex(64);
        let (mut engine, far) = duplex(64);
        let spliced = tokio::spawn(splice(near, far, LINGER));
        engine.shutdown().await.unwrap();
        spliced.await.unwrap().unwrap();
    }
}
