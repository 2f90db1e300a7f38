//! Calls to whichever coordinator answers.
//!
//! ```text
//! call ─► the coordinator that answered last ─ unavailable ─► the next of the list ─► … until the patience is over
//! ```
//!
//! Asking again is safe: reads change nothing, and every mutation carries its request id.

mod backoff;
mod follow;
mod mistrust;
pub(crate) mod trust;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

pub(crate) use backoff::{Backoff, Patience};
pub(crate) use follow::Follower;
pub(crate) use mistrust::mistrust;

use crate::failure::{Failure, chain};
use crate::surroundings::{Streams, Surroundings};

/// Makes a channel to the coordinator at HOST:PORT.
pub type Dial = Arc<dyn Fn(String) -> BoxFuture<Result<Channel, tonic::transport::Error>> + Send + Sync>;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// An election takes about half a second, a new leader answers within three: this covers both, and a restart.
const PATIENCE: Patience = Patience {
    total: Duration::from_secs(15),
    first: Duration::from_millis(100),
    longest: Duration::from_secs(1),
};

/// A handle on the cluster: one open channel, moved to another coordinator when it fails.
pub(crate) struct Client {
    coordinators: Vec<String>,
    dial: Dial,
    open: Mutex<Open>,
    interrupt: CancellationToken,
    streams: Streams,
}

#[derive(Default)]
struct Open {
    /// Into `coordinators`.
    at: usize,
    channel: Option<Channel>,
}

/// Why one try failed.
enum Trouble {
    /// Another coordinator, or the same a moment later, may answer.
    Passing(Box<dyn Error + Send + Sync>),
    Final(Failure),
}

impl Client {
    /// `coordinators` is not empty: the configuration is checked for that.
    pub(crate) fn new(coordinators: Vec<String>, dial: Dial, surroundings: &Surroundings) -> Self {
        Self {
            coordinators,
            dial,
            open: Mutex::default(),
            interrupt: surroundings.interrupt.clone(),
            streams: surroundings.streams.clone(),
        }
    }

    /// Asks until a coordinator gives an answer that asking another would not change.
    pub(crate) async fn call<Q, A, F>(&self, request: Q, ask: impl Fn(Channel, Q) -> F) -> Result<A, Failure>
    where
        Q: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let mut backoff = PATIENCE.start();
        loop {
            let answer = tokio::select! {
                () = self.interrupt.cancelled() => return Err(Failure::Interrupted),
                answer = self.ask_once(&request, &ask) => answer,
            };
            match answer {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Final(failure)) => return Err(failure),
                Err(Trouble::Passing(source)) => self.pause(&mut backoff, source).await?,
            }
        }
    }

    async fn ask_once<Q, A, F>(&self, request: &Q, ask: impl Fn(Channel, Q) -> F) -> Result<A, Trouble>
    where
        Q: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let channel = self.channel().await.map_err(|error| Trouble::Passing(error.into()))?;
        match ask(channel, request.clone()).await {
            Ok(answer) => Ok(answer.into_inner()),
            Err(status) if passing(&status) => Err(Trouble::Passing(cause(status))),
            Err(status) => Err(Trouble::Final(status.into())),
        }
    }

    /// After a failed try: waits and moves on, or gives up with the last reason.
    pub(crate) async fn pause(
        &self,
        backoff: &mut Backoff,
        source: Box<dyn Error + Send + Sync>,
    ) -> Result<(), Failure> {
        self.move_on();
        if mistrust(source.as_ref()) {
            backoff.mistrusted += 1;
        }
        let all_mistrust = backoff.mistrusted >= self.coordinators.len();
        let Some(wait) = backoff.next(Instant::now()).filter(|_| !all_mistrust) else {
            return Err(Failure::Unreachable { coordinators: self.coordinators.join(", "), source });
        };
        if backoff.drags(Instant::now()) {
            let reason = chain(source.as_ref());
            self.streams.tell(&format!("skep: no coordinator answers yet ({reason}); asking on\n"));
        }
        tokio::select! {
            () = self.interrupt.cancelled() => Err(Failure::Interrupted),
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }

    async fn channel(&self) -> Result<Channel, tonic::transport::Error> {
        let (at, open) = {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            (open.at, open.channel.clone())
        };
        if let Some(channel) = open {
            return Ok(channel);
        }
        let channel = (self.dial)(self.coordinators[at].clone()).await?;
        self.open.lock().unwrap_or_else(PoisonError::into_inner).channel = Some(channel.clone());
        Ok(channel)
    }

    fn move_on(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.at = (open.at + 1) % self.coordinators.len();
        open.channel = None;
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("coordinators", &self.coordinators).finish_non_exhaustive()
    }
}

/// Whether another try may end better. A status with a source was made here, from a connection that broke or timed
/// out; one without came over the wire and is a coordinator's word.
pub(crate) fn passing(status: &Status) -> bool {
    status.code() == Code::Unavailable || status.source().is_some()
}

/// A coordinator's word is told as it is; of a broken connection, what broke it.
pub(crate) fn cause(status: Status) -> Box<dyn Error + Send + Sync> {
    match status.source() {
        Some(_) => Box::new(Broken(status)),
        None => status.message().into(),
    }
}

/// A status made here: its own text would repeat its source.
#[derive(Debug)]
struct Broken(Status);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("transport error")
    }
}

impl Error for Broken {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
