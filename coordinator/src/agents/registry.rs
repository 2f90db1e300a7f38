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

/// One entry per connected host; a newer session of the same host closes the older one, and an older one that comes late
/// does not get in.
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
    /// The host's record, or its swarm's, may have changed.
    pub(super) look: Arc<Notify>,
    /// The stream has to end.
    pub(super) close: CancellationToken,
}

impl Registry {
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, streams: Mutex::default(), enrolling: Waiting::default() })
    }

    /// None where a newer session of the host is open.
    pub(super) fn enter(self: &Arc<Self>, host: HostId, session_number: u64) -> Option<Place> {
        let look = Arc::new(Notify::new());
        let close = CancellationToken::new();
        let heard = self.clock.boottime();
        let mut streams = self.lock();
        if streams.get(&host).is_some_and(|newer| newer.session_number > session_number) {
            return None;
        }
        let stream = Stream { session_number, heard, look: Arc::clone(&look), close: close.clone() };
        if let Some(older) = streams.insert(host, stream) {
            older.close.cancel();
        }
        drop(streams);
        Some(Place { registry: Arc::clone(self), host, look, close })
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
        if let Some(stream) = streams.get_mut(&self.host).filter(|stream| self.is(stream)) {
            stream.heard = now;
        }
    }

    /// Whether the entry is its own: another stream may have come with the same number.
    fn is(&self, stream: &Stream) -> bool {
        Arc::ptr_eq(&stream.look, &self.look)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut streams = self.registry.lock();
        if streams.get(&self.host).is_some_and(|stream| self.is(stream)) {
            streams.remove(&self.host);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use skep_tls::WallTime;

    use super::*;

    /// Seconds.
    #[derive(Debug, Default)]
    struct MovedClock(AtomicU64);

    impl Clock for MovedClock {
        fn boottime(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::Relaxed))
        }

        fn wall(&self) -> WallTime {
            WallTime(0)
        }
    }

    const HOST: HostId = HostId::new(1, 1);

    fn told(registry: &Registry) -> Vec<(u64, u64)> {
        registry.digest().iter().map(|stream| (stream.session_number, stream.silent.as_secs())).collect()
    }

    #[test]
    fn a_newer_session_closes_the_older_one() {
        let registry = Registry::new(Arc::<MovedClock>::default());
        let older = registry.enter(HOST, 1).unwrap();
        let newer = registry.enter(HOST, 2).unwrap();
        assert!(older.close.is_cancelled() && !newer.close.is_cancelled());
        drop(older);
        assert_eq!(told(&registry), [(2, 0)]);
        drop(newer);
        assert_eq!(told(&registry), []);
    }

    #[test]
    fn an_older_session_that_comes_late_does_not_get_in() {
        let registry = Registry::new(Arc::<MovedClock>::default());
        let newer = registry.enter(HOST, 2).unwrap();
        assert!(registry.enter(HOST, 1).is_none());
        assert!(!newer.close.is_cancelled());
        assert_eq!(told(&registry), [(2, 0)]);
    }

    /// As two machines with one disk have it, or one Hello that came twice.
    #[test]
    fn of_two_streams_with_one_number_the_older_leaves_the_newer_alone() {
        let clock = Arc::<MovedClock>::default();
        let registry = Registry::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let older = registry.enter(HOST, 1).unwrap();
        let newer = registry.enter(HOST, 1).unwrap();
        assert!(older.close.is_cancelled() && !newer.close.is_cancelled());
        clock.0.store(5, Ordering::Relaxed);
        older.heard();
        assert_eq!(told(&registry), [(1, 5)], "only the newer one is heard");
        drop(older);
        assert_eq!(told(&registry), [(1, 5)]);
        newer.heard();
        assert_eq!(told(&registry), [(1, 0)]);
    }
}
