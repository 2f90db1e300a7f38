//! What changed, for loops that re-read the state: merged per subscriber, so a slow one costs no memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use skep_core::Changes;
use tokio::sync::Notify;

/// Ids held for one subscriber; with more it is told to look at everything, which it does as quickly.
const IDS: usize = 10_000;

/// Where to look again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dirty {
    /// At everything: a snapshot replaced the state, or too much changed to list it.
    pub everything: bool,
    pub changes: Changes,
}

impl Dirty {
    pub fn all() -> Self {
        Self { everything: true, changes: Changes::default() }
    }

    fn is_clean(&self) -> bool {
        !self.everything && self.changes == Changes::default()
    }

    fn merge(&mut self, other: &Self) {
        if self.everything {
            return;
        }
        self.changes.merge(other.changes.clone());
        let Changes { hosts, swarms, operations, accounts, cluster: _ } = &self.changes;
        let ids = hosts.len() + swarms.len() + operations.len() + accounts.len();
        if other.everything || ids > IDS {
            *self = Self::all();
        }
    }
}

/// One subscriber's end. The first answer is everything.
#[derive(Debug)]
pub struct ChangeSubscription(Arc<Inbox>);

impl ChangeSubscription {
    /// Waits until something changed since the last answer. Waits for ever once the node has stopped.
    pub async fn changed(&mut self) -> Dirty {
        loop {
            let woken = self.0.woken.notified();
            let dirty = std::mem::take(&mut *lock(&self.0.dirty));
            if !dirty.is_clean() {
                return dirty;
            }
            woken.await;
        }
    }
}

#[derive(Debug)]
struct Inbox {
    dirty: Mutex<Dirty>,
    woken: Notify,
}

/// The publishing end.
#[derive(Debug, Default)]
pub(super) struct ChangeFeed(Mutex<Vec<Weak<Inbox>>>);

impl ChangeFeed {
    pub(super) fn subscribe(&self) -> ChangeSubscription {
        let inbox = Arc::new(Inbox { dirty: Mutex::new(Dirty::all()), woken: Notify::new() });
        lock(&self.0).push(Arc::downgrade(&inbox));
        ChangeSubscription(inbox)
    }

    pub(super) fn publish(&self, dirty: &Dirty) {
        if dirty.is_clean() {
            return;
        }
        lock(&self.0).retain(|subscriber| {
            let Some(inbox) = subscriber.upgrade() else { return false };
            lock(&inbox.dirty).merge(dirty);
            inbox.woken.notify_one();
            true
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while merging sets leaves sets: at worst a loop looks once too often.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
