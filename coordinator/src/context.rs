//! What every part of a coordinator works with.

use std::collections::BTreeMap;
use std::sync::Arc;

use skep_driver::Driver;
use skep_types::{ClusterId, CoordinatorId, DriverDescription, DriverName};

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
}

/// The cluster's secrets, as every coordinator holds them in memory.
#[derive(Debug)]
pub struct Trust {
    pub key: ClusterKey,
    pub sealer: Sealer,
    pub issuers: Issuers,
}

/// The drivers this coordinator can call, by name.
#[derive(Debug, Clone, Default)]
pub struct Drivers {
    usable: Arc<BTreeMap<DriverName, Arc<dyn Driver>>>,
    broken: Arc<[Broken]>,
}

impl Drivers {
    pub fn new(drivers: impl IntoIterator<Item = Arc<dyn Driver>>) -> Self {
        let named = drivers.into_iter().map(|driver| (driver.describe().name.clone(), driver));
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

    pub fn get(&self, name: &DriverName) -> Option<&Arc<dyn Driver>> {
        self.usable.get(name)
    }

    pub fn descriptions(&self) -> Vec<DriverDescription> {
        self.usable.values().map(|driver| driver.describe().clone()).collect()
    }
}
