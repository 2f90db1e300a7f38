//! What every part of a coordinator works with.

use std::collections::BTreeMap;
use std::sync::Arc;

use skep_core::state::BrokenProgram;
use skep_driver::Kind;
use skep_types::{ClusterId, CoordinatorId, DriverDescription, DriverName};
use tokio::sync::watch;

use crate::accounts::Accounts;
use crate::plugins::Broken;
use crate::raft::RaftHandle;
use crate::trust::{ClusterKey, Issuers, Sealer};

/// This coordinator, opened: its place in the cluster, the replicated state, and what it may sign and call.
#[derive(Debug, Clone)]
pub struct Context {
    pub id: CoordinatorId,
    pub cluster: ClusterId,
    pub raft: RaftHandle,
    pub trust: Arc<Trust>,
    pub drivers: Drivers,
    /// Their drivers, opened.
    pub accounts: Accounts,
}

/// The cluster's secrets, as every coordinator holds them in memory.
#[derive(Debug)]
pub struct Trust {
    pub key: ClusterKey,
    pub sealer: Sealer,
    pub issuers: Issuers,
}

/// The kinds of drivers this coordinator has, by name. Clones show the same: drivers come and go while it runs.
#[derive(Debug, Clone)]
pub struct Drivers(Arc<watch::Sender<Known>>);

#[derive(Debug, Default)]
pub(crate) struct Known {
    usable: BTreeMap<DriverName, Arc<dyn Kind>>,
    broken: Vec<BrokenProgram>,
}

impl Known {
    /// Of one name, the last.
    fn of(kinds: impl IntoIterator<Item = Arc<dyn Kind>>, broken: &[Broken]) -> Self {
        let named = kinds.into_iter().map(|kind| (kind.describe().name.clone(), kind));
        let told = |broken: &Broken| BrokenProgram {
            name: broken.name.clone(),
            program: broken.program.display().to_string(),
            reason: broken.reason.clone(),
        };
        Self { usable: named.collect(), broken: broken.iter().map(told).collect() }
    }
}

impl Drivers {
    pub fn new(kinds: impl IntoIterator<Item = Arc<dyn Kind>>) -> Self {
        Self(Arc::new(watch::Sender::new(Known::of(kinds, &[]))))
    }

    /// All of them, beside programs that cannot be used, for people to see.
    pub fn replace(&self, kinds: impl IntoIterator<Item = Arc<dyn Kind>>, broken: &[Broken]) {
        self.0.send_replace(Known::of(kinds, broken));
    }

    /// Wakes after each replacement from now on.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Known> {
        self.0.subscribe()
    }

    pub fn get(&self, name: &DriverName) -> Option<Arc<dyn Kind>> {
        self.0.borrow().usable.get(name).cloned()
    }

    pub fn descriptions(&self) -> Vec<DriverDescription> {
        self.0.borrow().usable.values().map(|kind| kind.describe().clone()).collect()
    }

    pub(crate) fn broken(&self) -> Vec<BrokenProgram> {
        self.0.borrow().broken.clone()
    }
}
