//! What must hold when nothing is under way: exactly the wanted hosts, one instance each, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::ensure;
use skep_coordinator::raft::Published;
use skep_types::Phase;

use super::cluster::InProcess;

/// The hosts whose names begin with a prefix, with their phases' labels.
pub fn hosts_of(state: &Published, prefix: &str) -> BTreeMap<String, &'static str> {
    let ours = state.hosts.values().filter(|host| host.name.as_str().starts_with(prefix));
    ours.map(|host| (host.name.to_string(), host.phase.label())).collect()
}

/// What was found at rest, beside what must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rest {
    pub ready: BTreeSet<String>,
    pub quarantined: BTreeSet<String>,
    pub failed: BTreeSet<String>,
}

impl Rest {
    /// Fails where an instance is doubled or has no host, or a bound host has no instance.
    pub fn of(cluster: &InProcess, state: &Published) -> anyhow::Result<Self> {
        let doubles = cluster.world.sim.doubles();
        ensure!(doubles.is_empty(), "doubles: {doubles:?}");
        let open: Vec<String> = state.intents.keys().map(ToString::to_string).collect();
        ensure!(open.is_empty(), "open intents at rest: {open:?}");
        let live: BTreeSet<String> =
            cluster.world.sim.live().into_iter().map(|instance| instance.id.to_string()).collect();
        let bound = state.hosts.values().filter_map(|host| host.instance.as_ref());
        let bound: BTreeSet<String> = bound.map(|bound| bound.instance.provider_id.to_string()).collect();
        let orphans: Vec<_> = live.difference(&bound).collect();
        ensure!(orphans.is_empty(), "orphans: {orphans:?}");
        let missing: Vec<_> = bound.difference(&live).collect();
        ensure!(missing.is_empty(), "hosts whose instances are gone: {missing:?}");
        Ok(Self::phases(state))
    }

    fn phases(state: &Published) -> Self {
        let mut rest = Self::default();
        for host in state.hosts.values() {
            let name = host.name.to_string();
            match host.phase {
                Phase::Ready => rest.ready.insert(name),
                Phase::Quarantined { .. } => rest.quarantined.insert(name),
                Phase::Failed { .. } => rest.failed.insert(name),
                _ => false,
            };
        }
        rest
    }
}
