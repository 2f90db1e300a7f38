//! One call at a time for each machine: a plugin's configuration has one writer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

#[derive(Debug, Default)]
pub(crate) struct Locks(Mutex<HashMap<String, Arc<AsyncMutex<()>>>>);

pub(crate) type Held = OwnedMutexGuard<()>;

impl Locks {
    fn of(&self, machine: &str) -> Arc<AsyncMutex<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that nobody holds or waits for.
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        Arc::clone(locks.entry(machine.to_owned()).or_default())
    }

    /// None while another call has it.
    pub(crate) fn try_hold(&self, machine: &str) -> Option<Held> {
        self.of(machine).try_lock_owned().ok()
    }

    pub(crate) async fn hold(&self, machine: &str) -> Held {
        self.of(machine).lock_owned().await
    }
}
