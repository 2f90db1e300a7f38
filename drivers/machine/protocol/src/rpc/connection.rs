//! The connection: who waits for which reply, and the loops that write and read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{mpsc, oneshot};

use super::reader::ValueReader;
use super::{CallError, ConnectionError};
use crate::gob::Value;

type Outcome = Result<Value, CallError>;

/// The calls under way, by number.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<Calls>);

#[derive(Debug, Default)]
struct Calls {
    /// Go leaves out a zero; numbers begin at one.
    last: u64,
    waiting: HashMap<u64, (String, oneshot::Sender<Outcome>)>,
    ended: Option<Arc<ConnectionError>>,
}

/// One call. Dropped before its outcome, it is forgotten.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) number: u64,
    calls: &'a Waiting,
    outcome: oneshot::Receiver<Outcome>,
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, method: &str) -> Result<Call<'_>, CallError> {
        let mut calls = self.lock();
        if let Some(reason) = &calls.ended {
            return Err(CallError::Broken(Arc::clone(reason)));
        }
        calls.last += 1;
        let number = calls.last;
        let (sender, outcome) = oneshot::channel();
        calls.waiting.insert(number, (method.to_owned(), sender));
        Ok(Call { number, calls: self, outcome })
    }

    /// The reply to one call; to one that was given up, nothing happens.
    fn answer(&self, header: &Value, body: Value) -> Result<(), ConnectionError> {
        let number = header.field("Seq", Value::uint).ok_or(ConnectionError::NoHeader)?;
        let method = header.field("ServiceMethod", Value::text).ok_or(ConnectionError::NoHeader)?;
        let error = header.field("Error", Value::text).ok_or(ConnectionError::NoHeader)?;
        let mut calls = self.lock();
        match calls.waiting.get(&number) {
            Some((called, _)) if called != method => return Err(ConnectionError::UnknownCall),
            None if !(1..=calls.last).contains(&number) => return Err(ConnectionError::UnknownCall),
            Some(_) | None => {}
        }
        if let Some((_, sender)) = calls.waiting.remove(&number) {
            let outcome = if error.is_empty() { Ok(body) } else { Err(CallError::Refused(error.to_owned())) };
            // Its caller may give it up at this moment.
            let _ = sender.send(outcome);
        }
        Ok(())
    }

    /// Tells every call, and every one to come, why there is no connection.
    fn end(&self, reason: ConnectionError) {
        let reason = Arc::new(reason);
        let mut calls = self.lock();
        calls.ended = Some(Arc::clone(&reason));
        for (_, (_, sender)) in calls.waiting.drain() {
            let _ = sender.send(Err(CallError::Broken(Arc::clone(&reason))));
        }
    }
}

impl Call<'_> {
    pub(super) async fn outcome(&mut self) -> Outcome {
        let outcome = (&mut self.outcome).await;
        // The sender goes only with an answer, or with the calls themselves.
        outcome.unwrap_or_else(|_| Err(CallError::Broken(Arc::new(ConnectionError::Closed))))
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.calls.lock().waiting.remove(&self.number);
    }
}

/// Both loops, until one ends; then all calls are told.
pub(super) async fn run<R, W>(
    input: BufReader<R>,
    output: W,
    definitions: Vec<u8>,
    queue: mpsc::Receiver<Vec<u8>>,
    waiting: Arc<Waiting>,
) where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let reason = tokio::select! {
        reason = read_loop(ValueReader::new(input), &waiting) => reason,
        reason = write_loop(output, definitions, queue) => reason,
    };
    waiting.end(reason);
}

async fn read_loop<R: AsyncRead + Unpin>(mut input: ValueReader<R>, waiting: &Waiting) -> ConnectionError {
    loop {
        let read = async {
            let header = input.value().await?;
            let body = input.value().await?;
            waiting.answer(&header, body)
        };
        if let Err(reason) = read.await {
            return reason;
        }
    }
}

/// Ends when the client is dropped.
async fn write_loop(
    mut output: impl AsyncWrite + Unpin,
    definitions: Vec<u8>,
    mut queue: mpsc::Receiver<Vec<u8>>,
) -> ConnectionError {
    let mut next = Some(definitions);
    while let Some(frame) = next {
        if let Err(error) = output.write_all(&frame).await {
            return error.into();
        }
        next = queue.recv().await;
    }
    ConnectionError::Closed
}
