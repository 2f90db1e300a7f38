//! Hosts.

use serde_json::{Value, json};
use skep_proto::v1::{Condition, ConditionStatus, Explanation, Host, NodeRole, PowerState, Template};

pub(crate) fn host(host: &Host) -> Value {
    json!({
        "id": host.id,
        "name": host.name,
        "revision": host.revision,
        "template": host.template.as_ref().map(template),
        "phase": host.phase,
        "phase_message": host.phase_message,
        "phase_age_ms": host.phase_age_ms,
        "incarnation": host.incarnation,
        "desired_absent": host.desired_absent,
        "desired_power": power(host.desired_power()),
        "provider_id": host.provider_id,
        "private_address": host.private_address,
        "public_address": host.public_address,
        "url": crate::hosts::url(host),
        "zone": host.zone,
        "swarm": host.swarm,
        "role": node_role(host.role()),
        "node_id": host.node_id,
        "engine_version": host.engine_version,
        "agent_version": host.agent_version,
        "operating_system": host.operating_system,
        "coordinator": host.coordinator,
        "operation": host.operation,
        "conditions": host.conditions.iter().map(condition).collect::<Vec<_>>(),
        "age_ms": host.age_ms,
    })
}

pub(crate) fn explanation(explanation: &Explanation) -> Value {
    json!({
        "host": explanation.host.as_ref().map(host),
        "step": explanation.step,
        "reason": explanation.reason,
        "message": explanation.message,
        "deadline_ms": explanation.deadline_ms,
        "events": explanation.events,
        "console": explanation.console,
    })
}

fn template(template: &Template) -> Value {
    json!({
        "driver": template.driver,
        "account": template.account,
        "options": template.options,
        "labels": template.labels,
    })
}

fn condition(condition: &Condition) -> Value {
    json!({
        "kind": condition.kind,
        "status": condition_status(condition.status()),
        "reason": condition.reason,
        "message": condition.message,
        "since_ms": condition.since_ms,
    })
}

pub(crate) fn condition_status(status: ConditionStatus) -> &'static str {
    match status {
        ConditionStatus::True => "True",
        ConditionStatus::False => "False",
        ConditionStatus::Unknown | ConditionStatus::Unspecified => "Unknown",
    }
}

fn power(power: PowerState) -> &'static str {
    match power {
        PowerState::Running => "running",
        PowerState::Stopped => "stopped",
        PowerState::Unspecified => "",
    }
}

/// Empty for a host outside any swarm.
pub(crate) fn node_role(role: NodeRole) -> &'static str {
    match role {
        NodeRole::Manager => "manager",
        NodeRole::Worker => "worker",
        NodeRole::Unspecified => "",
    }
}
