//! The agents whose streams end here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use skep_types::HostId;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::enrolment::Waiting;
use crate::clock::Clock;
use crate::raft::AgentStream;

/// One entry per connected host; a newer session of the same host closes the older one.
#[derive(Debug)]
pub struct Registry {
    clock: Arc<dyn Clock>,
    streams: Mutex<BTreeMap<HostId, Stream>>,
    /// Agents that are not known yet, but wait to be.
    pub(super) enrolling: Waiting,
}

#[derive(Debug)]
struct Stream {
    session_number: u64,
    heard: Duration,
    look: Arc<Notify>,
    close: CancellationToken,
}

/// A session's place in the registry; leaves it when dropped.
#[derive(Debug)]
pub(super) struct Place {
    registry: Arc<Registry>,
    host: HostId,
    session_number: u64,
    /// The host's record, or its swarm's, may have changed.
    pub(super) look: Arc<Notify>,
    /// The stream has to end.
    pub(super) close: CancellationToken,
}

impl Registry {
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, streams: Mutex::default(), enrolling: Waiting::default() })
    }

    pub(super) fn enter(self: &Arc<Self>, host: HostId, session_number: u64) -> Place {
        let look = Arc::new(Notify::new());
        let close = CancellationToken::new();
        let heard = self.clock.boottime();
        let stream = Stream { session_number, heard, look: Arc::clone(&look), close: close.clone() };
        if let Some(older) = self.lock().insert(host, stream) {
            older.close.cancel();
        }
        Place { registry: Arc::clone(self), host, session_number, look, close }
    }

    /// Wakes the sessions of these hosts.
    pub(super) fn look<'a>(&self, hosts: impl IntoIterator<Item = &'a HostId> + Clone) {
        self.enrolling.look(hosts.clone());
        let streams = self.lock();
        for stream in hosts.into_iter().filter_map(|host| streams.get(host)) {
            stream.look.notify_one();
        }
    }

    pub(super) fn look_all(&self) {
        self.enrolling.look_all();
        for stream in self.lock().values() {
            stream.look.notify_one();
        }
    }

    pub(super) fn close_all(&self) {
        self.enrolling.close_all();
        for stream in self.lock().values() {
            stream.close.cancel();
        }
    }

    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// What a beat tells the leader.
    pub fn digest(&self) -> Vec<AgentStream> {
        let now = self.clock.boottime();
        let stream = |(host, stream): (&HostId, &Stream)| AgentStream {
            host: *host,
            session_number: stream.session_number,
            silent: now.saturating_sub(stream.heard),
        };
        self.lock().iter().map(stream).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<HostId, Stream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    pub(super) fn heard(&self) {
        let now = self.registry.clock.boottime();
        let mut streams = self.registry.lock();
        let stream = streams.get_mut(&self.host);
        if let Some(stream) = stream.filter(|stream| stream.session_number == self.session_number) {
            stream.heard = now;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut streams = self.registry.lock();
        if streams.get(&self.host).is_some_and(|stream| stream.session_number == self.session_number) {
            streams.remove(&self.host);
        }
    }
}
