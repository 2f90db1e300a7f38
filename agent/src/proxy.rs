//! The Docker front door: mTLS on one side, the engine's socket on the other, and bytes in between.
//!
//! ```text
//! accept ─► first byte ─ TLS ─► handshake (bounded, timed) ─► serial denied? ─► room? ─► splice, half-close both ways
//!              └─ a coordinator's preface ─► the agent's session socket, where TLS begins the other way round
//! ```
//!
//! It decides who comes in and nothing else: a splice cannot tell reading from writing. Who may come in changes while
//! streams go on; a change concerns those who come later.

mod admission;
mod called;
mod splice;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::error::chain;
use crate::store::Store;
use admission::Admission;
use splice::splice;

#[derive(Debug, Clone)]
pub struct ProxySettings {
    pub docker_socket: PathBuf,
    /// Where the agent takes connections of coordinators that dial it.
    pub session_socket: PathBuf,
    pub limits: ProxyLimits,
}

#[derive(Debug, Clone, Copy)]
pub struct ProxyLimits {
    /// Streams at once: each costs two descriptors and some 50 KiB.
    pub connections: usize,
    /// Coordinators that dial at once: a host needs one of them.
    pub coordinators: usize,
    /// Handshakes at once, so that those who never prove anything take no room from those who did.
    pub handshakes: usize,
    pub handshake: Duration,
    /// What the client may still send after the engine said all it had to say.
    pub linger: Duration,
    /// Streams may go on this long after the end was asked for.
    pub drain: Duration,
    /// Between looks at the certificates on disk.
    pub reread: Duration,
}

impl Default for ProxyLimits {
    fn default() -> Self {
        Self {
            connections: 256,
            coordinators: 4,
            handshakes: 64,
            handshake: Duration::from_secs(10),
            linger: Duration::from_secs(10),
            drain: Duration::from_secs(60),
            reread: Duration::from_secs(3),
        }
    }
}

/// Between looks for the first certificate: people wait for the door to open.
const NOT_ENROLLED: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub struct Proxy {
    settings: ProxySettings,
    store: Arc<dyn Store>,
    /// None before the agent beside it was enrolled: until then only coordinators are let in.
    admission: Option<Admission>,
    room: Arc<Semaphore>,
    coordinators: Arc<Semaphore>,
}

impl Proxy {
    /// `store` is the agent's.
    pub fn new(settings: ProxySettings, store: Arc<dyn Store>) -> Self {
        let room = Arc::new(Semaphore::new(settings.limits.connections));
        let coordinators = Arc::new(Semaphore::new(settings.limits.coordinators));
        Self { settings, store, admission: None, room, coordinators }
    }

    /// Serves until `shutdown`, then until the last stream ended or the drain's bound.
    pub async fn run(mut self, listener: TcpListener, shutdown: CancellationToken) {
        let limits = self.settings.limits;
        let handshakes = Arc::new(Semaphore::new(limits.handshakes));
        let mut reread = interval(limits.reread);
        let mut streams = JoinSet::new();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = reread.tick() => self.reread().await,
                Some(_) = streams.join_next() => {}
                accepted = accept(&listener, &handshakes) => match accepted {
                    Ok((tcp, permit)) => drop(streams.spawn(self.stream(tcp, permit))),
                    Err(error) => {
                        warn!(error = chain(&error), "no connection accepted");
                        // Out of descriptors, most likely: asking again at once would only burn the processor.
                        sleep(Duration::from_millis(100)).await;
                    }
                },
            }
        }
        drop(listener);
        info!(streams = streams.len(), "draining");
        let drained = async { while streams.join_next().await.is_some() {} };
        if timeout(limits.drain, drained).await.is_err() {
            warn!(streams = streams.len(), "cut at the end of the drain");
        }
        streams.shutdown().await;
    }

    async fn reread(&mut self) {
        match Admission::read(&*self.store).await {
            Ok(Some(admission)) if self.admission.as_ref() != Some(&admission) => {
                info!("certificates taken");
                self.admission = Some(admission);
            }
            Ok(_) => {}
            Err(error) => warn!(error = chain(&error), "the certificates are not usable, the old ones stay"),
        }
    }

    fn stream(&self, tcp: TcpStream, permit: OwnedSemaphorePermit) -> impl Future<Output = ()> + use<> {
        let visit = Visit {
            settings: self.settings.clone(),
            store: self.store.clone(),
            admission: self.admission.clone(),
            room: self.room.clone(),
            coordinators: self.coordinators.clone(),
        };
        visit.serve(tcp, permit)
    }
}

/// What one connection needs.
struct Visit {
    settings: ProxySettings,
    store: Arc<dyn Store>,
    admission: Option<Admission>,
    room: Arc<Semaphore>,
    coordinators: Arc<Semaphore>,
}

impl Visit {
    async fn serve(self, tcp: TcpStream, permit: OwnedSemaphorePermit) {
        let within = self.settings.limits.handshake;
        match timeout(within, called::by_coordinator(&tcp)).await {
            Ok(Ok(true)) => {
                drop(permit);
                self.hand_over(tcp).await;
            }
            Ok(Ok(false)) => self.docker(tcp, permit).await,
            Ok(Err(error)) => debug!(error = chain(&error), "a connection ended at once"),
            Err(_) => debug!("a connection said nothing"),
        }
    }

    async fn hand_over(self, tcp: TcpStream) {
        let Ok(_place) = self.coordinators.try_acquire() else {
            return warn!("no room for another coordinator");
        };
        let limits = self.settings.limits;
        if let Err(error) = called::hand_over(tcp, &self.settings.session_socket, &limits).await {
            debug!(error = chain(&error), "a coordinator's connection broke");
        }
    }

    async fn docker(self, tcp: TcpStream, permit: OwnedSemaphorePermit) {
        let limits = self.settings.limits;
        let admitted = async { self.first_admission().await.admit(tcp).await };
        let client = match timeout(limits.handshake, admitted).await {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => return info!(error = chain(&error), "not admitted"),
            Err(_) => return info!("the handshake took too long"),
        };
        drop(permit);
        let Ok(_place) = self.room.try_acquire() else { return warn!("no room for another stream") };
        let engine = match UnixStream::connect(&self.settings.docker_socket).await {
            Ok(engine) => engine,
            Err(error) => return warn!(error = chain(&error), "the engine's socket does not answer"),
        };
        // Clients hang up in many ways, all of them usual.
        if let Err(error) = splice(client, engine, limits.linger).await {
            debug!(error = chain(&error), "stream broken");
        }
    }

    /// Who comes a moment before the host is enrolled waits for it.
    async fn first_admission(&self) -> Admission {
        if let Some(admission) = &self.admission {
            return admission.clone();
        }
        loop {
            if let Ok(Some(admission)) = Admission::read(&*self.store).await {
                return admission;
            }
            sleep(NOT_ENROLLED).await;
        }
    }
}

/// A connection only when its handshake has a place.
async fn accept(
    listener: &TcpListener,
    handshakes: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = handshakes.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (tcp, _) = listener.accept().await?;
    Ok((tcp, permit))
}
