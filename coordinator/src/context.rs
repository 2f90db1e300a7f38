//! What every part of a coordinator works with.

use std::collections::BTreeMap;
use std::sync::Arc;

use skep_driver::Kind;
use skep_types::{ClusterId, CoordinatorId, DriverDescription, DriverName};

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

/// The kinds of drivers this coordinator has, by name.
#[derive(Debug, Clone, Default)]
pub struct Drivers {
    usable: Arc<BTreeMap<DriverName, Arc<dyn Kind>>>,
    broken: Arc<[Broken]>,
}

impl Drivers {
    /// Of one name, the last.
    pub fn new(kinds: impl IntoIterator<Item = Arc<dyn Kind>>) -> Self {
        let named = kinds.into_iter().map(|kind| (kind.describe().name.clone(), kind));
        Self { usable: Arc::new(named.collect()), broken: Arc::default() }
    }

    /// Beside programs that cannot be used, for people to see.
    #[must_use]
    pub fn beside(self, broken: &[Broken]) -> Self {
        Self { broken: broken.into(), ..self }
    }

    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    pub fn get(&self, name: &DriverName) -> Option<&Arc<dyn Kind>> {
        self.usable.get(name)
    }

    pub fn descriptions(&self) -> Vec<DriverDescription> {
        self.usable.values().map(|kind| kind.describe().clone()).collect()
    }
}
