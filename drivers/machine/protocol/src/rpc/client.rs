//! Calls.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::connection::{self, Waiting};
use super::{CallError, ConnectionError};
use crate::gob::{self, Definition, TypeId, Types, Value};

/// Calls on one connection at once. A host has one action, its observation and a heartbeat under way.
const CALLS: usize = 32;
/// Ids below are of the client's own types.
pub const FIRST_TYPE: TypeId = TypeId(66);
const REQUEST: TypeId = TypeId(65);

/// What Go's `rpc.HandleHTTP` serves.
const CONNECT: &[u8] = b"CONNECT /_goRPC_ HTTP/1.0\n\n";
const CONNECTED: &str = "200 Connected to Go RPC";
/// Of the HTTP answer, which is 37 bytes long.
const HANDSHAKE_BYTES: u64 = 4 * 1024;

/// One connection. Any number of calls may be under way. It ends when this is dropped.
#[derive(Debug)]
pub struct Client {
    types: Types,
    waiting: Arc<Waiting>,
    places: Semaphore,
    frames: mpsc::Sender<Vec<u8>>,
    connection: JoinHandle<()>,
}

impl Client {
    /// Over HTTP, as Go's `rpc.DialHTTP` does. `arguments` are the types of what is to be sent, from
    /// [`FIRST_TYPE`] on.
    pub async fn connect<S>(
        stream: S,
        arguments: impl IntoIterator<Item = (TypeId, Definition)>,
    ) -> Result<Self, ConnectionError>
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (input, mut output) = tokio::io::split(stream);
        let mut input = BufReader::new(input);
        output.write_all(CONNECT).await?;
        handshake(&mut input).await?;

        let request =
            Definition::structure("Request", &[("ServiceMethod", TypeId::TEXT), ("Seq", TypeId::UINT)]);
        let types = Types::new(arguments.into_iter().chain([(REQUEST, request)]));
        let definitions = types.iter().flat_map(|(id, shape)| gob::definition(id, shape)).collect();
        let (frames, queue) = mpsc::channel(CALLS);
        let waiting = Arc::new(Waiting::default());
        let connection =
            tokio::spawn(connection::run(input, output, definitions, queue, Arc::clone(&waiting)));
        Ok(Self { types, waiting, places: Semaphore::new(CALLS), frames, connection })
    }

    /// Calls `method`, such as `Service.Method`. Giving it up does not take it back: the other side goes on with it.
    pub async fn call(&self, method: &str, id: TypeId, argument: &Value) -> Result<Value, CallError> {
        // Never closed.
        let _place = self.places.acquire().await;
        let mut call = self.waiting.begin(method)?;
        let frame = self.frame(method, call.number, id, argument).map_err(CallError::Argument)?;
        // When the connection is gone, the call is told why.
        let _ = self.frames.send(frame).await;
        call.outcome().await
    }

    fn frame(
        &self,
        method: &str,
        number: u64,
        id: TypeId,
        argument: &Value,
    ) -> Result<Vec<u8>, gob::GobError> {
        let fields = [("ServiceMethod", Value::Text(method.to_owned())), ("Seq", Value::Uint(number))];
        let header = Value::Struct(fields.map(|(name, value)| (Arc::from(name), value)).to_vec());
        let mut frame = gob::value(&self.types, REQUEST, &header)?;
        frame.extend(gob::value(&self.types, id, argument)?);
        Ok(frame)
    }

    /// Ends the connection and waits until it has ended.
    pub async fn close(self) {
        drop(self.frames);
        // It cannot be cancelled, and does not panic.
        let _ = self.connection.await;
    }
}

async fn handshake(input: &mut (impl AsyncRead + Unpin)) -> Result<(), ConnectionError> {
    let mut input = input.take(HANDSHAKE_BYTES);
    let mut line = String::new();
    let status = header_line(&mut input, &mut line).await?;
    if !status.contains(CONNECTED) {
        return Err(ConnectionError::Handshake);
    }
    while !header_line(&mut input, &mut line).await?.is_empty() {}
    Ok(())
}

/// Byte by byte, so that nothing of what follows is taken.
async fn header_line<'a>(
    input: &mut (impl AsyncRead + Unpin),
    line: &'a mut String,
) -> Result<&'a str, ConnectionError> {
    line.clear();
    loop {
        match input.read_u8().await {
            Ok(b'\n') => return Ok(line.trim_end()),
            Ok(byte) => line.push(char::from(byte)),
            Err(_) => return Err(ConnectionError::Handshake),
        }
    }
}
