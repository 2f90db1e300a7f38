//! Everything a world remembers.

use std::collections::{BTreeMap, HashMap};

use skep_driver::{DriverError, ErrorKind, InstanceState};
use skep_types::{IntentId, ProviderId};
use tokio::time::Instant;

use super::calls::Counters;
use super::instance::Record;
use super::number_of;
use super::throttle::Bucket;
use crate::config::Behaviour;

#[derive(Debug)]
pub(super) struct State {
    pub(super) behaviour: Behaviour,
    /// Every instance ever made, by its number. Destroyed ones stay: tests ask for all of history, and a world ends
    /// with its process.
    pub(super) instances: BTreeMap<u64, Record>,
    pub(super) live: u32,
    /// Live instances by name.
    pub(super) names: HashMap<String, u64>,
    pub(super) tokens: HashMap<(String, String), Reservation>,
    /// How many instances each intent asked for, to tell doubles.
    pub(super) asked: HashMap<(String, IntentId), usize>,
    pub(super) bucket: Bucket,
    pub(super) calls: Counters,
}

/// What a token stands for, for as long as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Reservation {
    pub(super) fingerprint: u64,
    pub(super) made: Vec<u64>,
    pub(super) shortfall: Option<ErrorKind>,
    pub(super) forgotten_at: Instant,
}

impl State {
    pub(super) fn new(behaviour: Behaviour) -> Self {
        Self {
            behaviour,
            instances: BTreeMap::new(),
            live: 0,
            names: HashMap::new(),
            tokens: HashMap::new(),
            asked: HashMap::new(),
            bucket: Bucket::default(),
            calls: Counters::default(),
        }
    }

    /// What a caller of `cluster` can see under this id now. Another cluster's instance is as good as none.
    pub(super) fn visible(&self, cluster: &str, id: &ProviderId) -> Result<&Record, DriverError> {
        let number = self.number(cluster, id)?;
        self.instances.get(&number).ok_or_else(|| not_found(id))
    }

    pub(super) fn visible_mut(&mut self, cluster: &str, id: &ProviderId) -> Result<&mut Record, DriverError> {
        let number = self.number(cluster, id)?;
        self.instances.get_mut(&number).ok_or_else(|| not_found(id))
    }

    fn number(&self, cluster: &str, id: &ProviderId) -> Result<u64, DriverError> {
        let number = number_of(id).ok_or_else(|| not_found(id))?;
        let record = self.instances.get(&number).ok_or_else(|| not_found(id))?;
        let seen = record.cluster.as_deref() == Some(cluster) && record.visible_at <= Instant::now();
        if seen { Ok(number) } else { Err(not_found(id)) }
    }

    /// What is there and another's is not gone: NotFound would be believed of a destroy.
    pub(super) fn refuse_foreign(&self, cluster: &str, id: &ProviderId) -> Result<(), DriverError> {
        let record = number_of(id).and_then(|number| self.instances.get(&number));
        match record.filter(|record| record.cluster.as_deref() != Some(cluster)) {
            Some(_) => Err(DriverError::new(ErrorKind::Unsupported, format!("{id} is not this cluster's"))),
            None => Ok(()),
        }
    }

    /// Takes an instance out of the world. Its record stays.
    pub(super) fn bury(&mut self, number: u64) {
        let Some(record) = self.instances.get_mut(&number) else { return };
        if record.state == InstanceState::Destroyed {
            return;
        }
        record.enter(InstanceState::Destroyed);
        self.live = self.live.saturating_sub(1);
        if self.names.get(&record.name) == Some(&number) {
            self.names.remove(&record.name);
        }
    }
}

fn not_found(id: &ProviderId) -> DriverError {
    DriverError::new(ErrorKind::NotFound, format!("there is no instance {id} in this cluster"))
}
