//! What can be counted, in OpenMetrics text. Gauges are read from the state when asked for, so nothing drifts.

use std::collections::BTreeMap;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use skep_core::plan::{Step, View, next_step};

use crate::agents;
use crate::context::Context;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labelled {
    label: String,
}

#[derive(Debug)]
pub struct Metrics {
    agents: std::sync::Arc<agents::Registry>,
}

impl Metrics {
    pub fn new(agents: std::sync::Arc<agents::Registry>) -> Self {
        Self { agents }
    }

    pub fn render(&self, context: &Context) -> String {
        let mut registry = Registry::with_prefix("skep");
        self.fleet(context, &mut registry);
        self.process(context, &mut registry);
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &registry) {
            tracing::error!(%error, "metrics could not be written");
        }
        text
    }

    fn fleet(&self, context: &Context, registry: &mut Registry) {
        let state = context.raft.state();
        let view = View { state: &state, now: context.raft.now() };
        let mut phases: BTreeMap<&str, i64> = BTreeMap::new();
        let mut waits: BTreeMap<&str, i64> = BTreeMap::new();
        for host in state.hosts.values() {
            *phases.entry(host.phase.label()).or_default() += 1;
            if let Step::Wait { reason, .. } = next_step(host, &view) {
                *waits.entry(reason.label()).or_default() += 1;
            }
        }
        labelled(registry, "hosts", "Hosts by phase", phases);
        labelled(registry, "host_waits", "Hosts by what they wait for", waits);
        gauge(
            registry,
            "intents_open",
            "Driver effects that are committed and not known to be over",
            state.intents.len(),
        );
        gauge(registry, "swarms", "Swarms", state.swarms.len());
        let running = state.operations.values().filter(|operation| !operation.state.finished()).count();
        gauge(registry, "operations_running", "Operations that have not finished", running);
    }

    fn process(&self, context: &Context, registry: &mut Registry) {
        let raft = context.raft.status();
        gauge(registry, "agents_connected", "Agents whose streams end here", self.agents.count());
        gauge(registry, "raft_term", "The current term", raft.leadership.term);
        gauge(registry, "raft_log_last_index", "The last index of the log", raft.last_index);
        gauge(
            registry,
            "raft_log_snapshot_index",
            "The last index in the newest snapshot",
            raft.snapshot_index,
        );
        gauge(registry, "raft_leading", "1 on the leader", usize::from(raft.leadership.leading));
    }
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: impl TryInto<i64>) {
    let gauge: Gauge = Gauge::default();
    gauge.set(value.try_into().unwrap_or(i64::MAX));
    registry.register(name, help, gauge);
}

fn labelled(registry: &mut Registry, name: &str, help: &str, values: BTreeMap<&str, i64>) {
    let family: Family<Labelled, Gauge> = Family::default();
    for (label, value) in values {
        family.get_or_create(&Labelled { label: label.to_owned() }).set(value);
    }
    registry.register(name, help, family);
}
