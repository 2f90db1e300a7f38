//! Moments at which a test can stop a coordinator: before and after each entry it writes as the leader, and each call
//! it makes of its driver as the owner.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use futures::future::BoxFuture;
use skep_coordinator::raft::Checkpoint;
use skep_driver::decorators::{CallPhase, Faults};
use skep_driver::{Driver, Method};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Around {
    Before,
    After,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// An entry of the log, on the leader.
    Entry(Around),
    /// A call of the driver, on the account's owner.
    Call(Method, Around),
}

/// A moment on one coordinator, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    pub coordinator: u64,
    pub moment: Moment,
}

type Hook = dyn Fn(Event) -> BoxFuture<'static, ()> + Send + Sync;

/// Where all coordinators of a cluster ask. What waits in the hook is held there.
#[derive(Default)]
pub struct Stops(RwLock<Option<Arc<Hook>>>);

impl fmt::Debug for Stops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stops").finish_non_exhaustive()
    }
}

impl Stops {
    /// Takes the place of the hook before.
    pub fn set(&self, hook: impl Fn(Event) -> BoxFuture<'static, ()> + Send + Sync + 'static) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
    }

    pub fn clear(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn reach(&self, coordinator: u64, moment: Moment) {
        let hook = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(hook) = hook {
            hook(Event { coordinator, moment }).await;
        }
    }

    /// The driver, as this coordinator calls it.
    pub(super) fn around_calls(
        self: &Arc<Self>,
        coordinator: u64,
        driver: Arc<dyn Driver>,
    ) -> Arc<dyn Driver> {
        let stops = Arc::clone(self);
        Faults::on(driver, move |site| {
            let stops = Arc::clone(&stops);
            let around = match site.phase {
                CallPhase::Before => Around::Before,
                CallPhase::After => Around::After,
            };
            async move {
                stops.reach(coordinator, Moment::Call(site.method, around)).await;
                Ok(())
            }
        })
    }

    pub(super) fn around_entries(self: &Arc<Self>, coordinator: u64) -> Arc<dyn Checkpoint> {
        Arc::new(Entries { stops: Arc::clone(self), coordinator })
    }
}

#[derive(Debug)]
struct Entries {
    stops: Arc<Stops>,
    coordinator: u64,
}

#[async_trait]
impl Checkpoint for Entries {
    async fn before(&self) {
        self.stops.reach(self.coordinator, Moment::Entry(Around::Before)).await;
    }

    async fn after(&self) {
        self.stops.reach(self.coordinator, Moment::Entry(Around::After)).await;
    }
}
