//! Streams that go on over the loss of a coordinator.

use std::error::Error;
use std::future::Future;
use std::ops::ControlFlow;
use std::time::Duration;

use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};

use super::{Backoff, Client, Patience, cause, passing};
use crate::failure::Failure;

/// Somebody who watches would rather wait than start again; a minute covers a restart of the whole cluster.
const PATIENCE: Patience = Patience {
    total: Duration::from_secs(60),
    first: Duration::from_millis(100),
    longest: Duration::from_secs(2),
};

/// Whoever reads a stream, over as many connections as it takes.
pub(crate) trait Follower {
    type Message;
    /// What the following ends with.
    type Seen;

    /// Opens the stream, after what was seen already.
    fn open(
        &self,
        channel: Channel,
    ) -> impl Future<Output = Result<Response<Streaming<Self::Message>>, Status>>;

    fn message(&mut self, message: Self::Message) -> Result<ControlFlow<Self::Seen>, Failure>;

    /// The stream ended in order. Continue opens it again.
    fn ended(&mut self) -> ControlFlow<Self::Seen>;
}

/// How one connection came to its end.
enum End<S> {
    Seen(S),
    Lost(Box<dyn Error + Send + Sync>),
}

impl Client {
    pub(crate) async fn follow<F: Follower>(&self, follower: &mut F) -> Result<F::Seen, Failure> {
        let mut backoff = PATIENCE.start();
        loop {
            let end = tokio::select! {
                () = self.interrupt.cancelled() => return Err(Failure::Interrupted),
                end = self.follow_once(follower, &mut backoff) => end?,
            };
            match end {
                End::Seen(seen) => return Ok(seen),
                End::Lost(source) => self.pause(&mut backoff, source).await?,
            }
        }
    }

    async fn follow_once<F: Follower>(
        &self,
        follower: &mut F,
        backoff: &mut Backoff,
    ) -> Result<End<F::Seen>, Failure> {
        let channel = match self.channel().await {
            Ok(channel) => channel,
            Err(error) => return Ok(End::Lost(error.into())),
        };
        let mut stream = match follower.open(channel).await {
            Ok(opened) => opened.into_inner(),
            Err(status) => return lost(status),
        };
        loop {
            let step = match stream.message().await {
                Ok(Some(message)) => {
                    backoff.reset();
                    follower.message(message)?
                }
                Ok(None) => match follower.ended() {
                    ControlFlow::Break(seen) => ControlFlow::Break(seen),
                    ControlFlow::Continue(()) => {
                        return Ok(End::Lost("the coordinator ended the stream".into()));
                    }
                },
                Err(status) => return lost(status),
            };
            if let ControlFlow::Break(seen) = step {
                return Ok(End::Seen(seen));
            }
        }
    }
}

fn lost<S>(status: Status) -> Result<End<S>, Failure> {
    if passing(&status) { Ok(End::Lost(cause(status))) } else { Err(status.into()) }
}
