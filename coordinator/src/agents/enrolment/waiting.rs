//! Enrolments that wait for their host to change.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use skep_types::HostId;
use tokio::sync::watch;

/// One channel per host that somebody waits for; each waiting call holds a connection, which are bounded.
#[derive(Debug, Default)]
pub(in crate::agents) struct Waiting(Mutex<BTreeMap<HostId, watch::Sender<()>>>);

/// One call's end.
#[derive(Debug)]
pub(super) struct Waiter(watch::Receiver<()>);

impl Waiting {
    /// Whatever changes from now on is told.
    pub(super) fn subscribe(&self, host: HostId) -> Waiter {
        Waiter(self.lock().entry(host).or_insert_with(|| watch::channel(()).0).subscribe())
    }

    pub(in crate::agents) fn look<'a>(&self, hosts: impl IntoIterator<Item = &'a HostId>) {
        let mut waiting = self.lock();
        for host in hosts {
            if waiting.get(host).is_some_and(|waiter| waiter.send(()).is_err()) {
                // Nobody waits any more.
                waiting.remove(host);
            }
        }
    }

    pub(in crate::agents) fn look_all(&self) {
        self.lock().retain(|_, waiter| waiter.send(()).is_ok());
    }

    /// Ends all waiting.
    pub(in crate::agents) fn close_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<HostId, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter {
    /// Whether there is something to look at again; false when nobody is to wait here any longer.
    pub(super) async fn changed(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn those_who_wait_are_told_until_they_are_sent_away() {
        let (waiting, host, other) = (Waiting::default(), HostId::new(1, 1), HostId::new(1, 2));
        let (mut first, mut second) = (waiting.subscribe(host), waiting.subscribe(host));
        waiting.look([&other, &host]);
        assert!(first.changed().await && second.changed().await);
        waiting.close_all();
        assert!(!first.changed().await && !second.changed().await);
    }

    #[test]
    fn nothing_is_kept_for_those_who_went() {
        let (waiting, host) = (Waiting::default(), HostId::new(1, 1));
        drop(waiting.subscribe(host));
        waiting.look([&host]);
        assert!(waiting.lock().is_empty());
    }
}
