//! What a report says that the record does not: the only part of it that goes into the log.
//!
//! A report is compared again and again until the record agrees, so a lost proposal loses nothing.

mod nodes;

use std::time::Duration;

use skep_core::State;
use skep_core::command::Observed;
use skep_core::state::{Conditions, Facts, Host};
use skep_proto::agent::{Engine, LocalNodeState, Report};
use skep_types::{ConditionKind, ConditionStatus, NodeId};

/// Free space on the engine's disk, or of memory, below which a host is not healthy.
const LOW_PERCENT: u64 = 5;

/// A host whose wall clock is this far from the coordinator's is not healthy. Well below the five minutes that
/// certificates are backdated, so that people hear of it before connections fail.
const CLOCK_OFFSET: Duration = Duration::from_secs(30);

/// What is known of the agent beside its reports.
pub(super) struct Agent<'a> {
    pub(super) version: &'a str,
    /// Between its wall clock and ours, either way, as of its last heartbeat.
    pub(super) clock_offset: Duration,
}

/// The observations to propose. Empty when the record says all of it.
pub(super) fn differences(report: &Report, agent: &Agent<'_>, host: &Host, state: &State) -> Vec<Observed> {
    let mut observed = Vec::new();
    observed.extend(facts(report, agent.version, host));
    observed.extend(report.engine.as_ref().and_then(|engine| engine_condition(engine, &host.conditions)));
    observed.extend(health(report, agent.clock_offset, &host.conditions));
    observed.extend(local_node(report, host));
    observed.extend(nodes::listing(report, host, state).map(Observed::Nodes));
    observed
}

fn facts(report: &Report, agent_version: &str, host: &Host) -> Option<Observed> {
    let engine = report.engine.clone().unwrap_or_default();
    let resources = report.resources.unwrap_or_default();
    let known = host.facts.as_deref();
    // An engine that does not answer has not changed its version.
    let keep = |new: String, old: fn(&Facts) -> &String| match known {
        Some(known) if new.is_empty() => old(known).clone(),
        _ => new,
    };
    let facts = Facts {
        agent_version: agent_version.to_owned(),
        engine_version: keep(engine.version, |facts| &facts.engine_version),
        operating_system: keep(engine.operating_system, |facts| &facts.operating_system),
        kernel: keep(engine.kernel, |facts| &facts.kernel),
        architecture: keep(engine.architecture, |facts| &facts.architecture),
        memory_total_bytes: resources.memory_total_bytes,
        cpus: resources.cpus,
    };
    (known != Some(&facts)).then_some(Observed::Facts(facts))
}

fn engine_condition(engine: &Engine, known: &Conditions) -> Option<Observed> {
    let (status, reason) = match engine.ready {
        true => (ConditionStatus::True, "Ready"),
        false => (ConditionStatus::False, "NotAnswering"),
    };
    let message = if engine.ready { String::new() } else { engine.message.clone() };
    differs(known, ConditionKind::EngineReady, status, reason).then(|| Observed::Engine {
        status,
        reason: reason.to_owned(),
        message,
    })
}

fn health(report: &Report, clock_offset: Duration, known: &Conditions) -> Option<Observed> {
    let resources = report.resources?;
    let low =
        |free: u64, total: u64| total > 0 && free.saturating_mul(100) < total.saturating_mul(LOW_PERCENT);
    let (status, reason) = if low(resources.disk_available_bytes, resources.disk_total_bytes) {
        (ConditionStatus::False, "DiskLow")
    } else if low(resources.memory_available_bytes, resources.memory_total_bytes) {
        (ConditionStatus::False, "MemoryLow")
    } else if clock_offset > CLOCK_OFFSET {
        (ConditionStatus::False, "ClockOffset")
    } else {
        (ConditionStatus::True, "Healthy")
    };
    differs(known, ConditionKind::Healthy, status, reason).then(|| Observed::Health {
        status,
        reason: reason.to_owned(),
        message: String::new(),
    })
}

/// Reasons are compared, messages are not: they may hold figures that change all the time.
fn differs(known: &Conditions, kind: ConditionKind, status: ConditionStatus, reason: &str) -> bool {
    let known = known.get(kind);
    known.is_none_or(|known| known.status != status || known.reason != reason)
}

fn local_node(report: &Report, host: &Host) -> Option<Observed> {
    let local = report.node.as_ref()?;
    let active = local.state() == LocalNodeState::Active;
    let node: Option<NodeId> = if active { local.node_id.parse().ok() } else { None };
    // Only news while it joins: afterwards the record knows the node, and managers say the rest.
    let asked = host.membership.is_some() && host.node.is_none();
    (asked && node.is_some()).then_some(Observed::LocalNode { node })
}

#[cfg(test)]
mod tests;
