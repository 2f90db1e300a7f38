//! What tests ask a world: everything that was ever made, and whether anything is there twice.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;

use skep_driver::InstanceState;
use skep_types::{HostId, IntentId, ProviderId};
use tokio::time::Instant;

use super::instance::Record;
use super::{SimWorld, number_of};

/// One instance that is or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimInstance {
    pub id: ProviderId,
    pub name: String,
    /// None for what skep has not made.
    pub cluster: Option<String>,
    pub intent: Option<IntentId>,
    /// With its incarnation; None where slots are interchangeable.
    pub host: Option<(HostId, u32)>,
    pub state: InstanceState,
    pub address: Ipv4Addr,
    pub zone: String,
    pub made_at: Instant,
    pub boots: u64,
}

/// More instances live than there should ever be at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Double {
    Host { cluster: String, host: HostId, instances: Vec<ProviderId> },
    Intent { cluster: String, intent: IntentId, asked: usize, instances: Vec<ProviderId> },
}

impl SimWorld {
    /// Every instance ever made, in order, destroyed ones included.
    pub fn instances(&self) -> Vec<SimInstance> {
        self.lock().instances.values().map(inspected).collect()
    }

    pub fn live(&self) -> Vec<SimInstance> {
        let state = self.lock();
        let living = state.instances.values().filter(|record| record.state != InstanceState::Destroyed);
        living.map(inspected).collect()
    }

    /// One that is or was, whoever can see it yet.
    pub(crate) fn inspect(&self, id: &ProviderId) -> Option<SimInstance> {
        self.lock().instances.get(&number_of(id)?).map(inspected)
    }

    /// Hosts with two live instances, and intents with more live instances than slots. Empty, always.
    pub fn doubles(&self) -> Vec<Double> {
        let live = self.live();
        let mut hosts: BTreeMap<(&str, HostId), Vec<ProviderId>> = BTreeMap::new();
        let mut intents: HashMap<(String, IntentId), Vec<ProviderId>> = HashMap::new();
        for instance in &live {
            let Some(cluster) = &instance.cluster else { continue };
            if let Some((host, _)) = instance.host {
                hosts.entry((cluster, host)).or_default().push(instance.id.clone());
            }
            if let Some(intent) = instance.intent {
                intents.entry((cluster.clone(), intent)).or_default().push(instance.id.clone());
            }
        }
        let doubled = hosts.into_iter().filter(|(_, instances)| instances.len() > 1);
        let mut doubles: Vec<Double> = doubled
            .map(|((cluster, host), instances)| Double::Host { cluster: cluster.to_owned(), host, instances })
            .collect();
        let state = self.lock();
        for ((cluster, intent), instances) in intents {
            let asked = state.asked.get(&(cluster.clone(), intent)).copied().unwrap_or_default();
            if instances.len() > asked {
                doubles.push(Double::Intent { cluster, intent, asked, instances });
            }
        }
        doubles
    }
}

fn inspected(record: &Record) -> SimInstance {
    SimInstance {
        id: record.id.clone(),
        name: record.name.clone(),
        cluster: record.cluster.clone(),
        intent: record.intent,
        host: record.host,
        state: record.state,
        address: record.address,
        zone: record.zone.clone(),
        made_at: record.made_at,
        boots: record.boots,
    }
}
