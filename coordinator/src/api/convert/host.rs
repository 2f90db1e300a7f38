//! A host record as people see it.

use std::net::IpAddr;

use skep_core::State;
use skep_core::state::{Host, Instance};
use skep_proto::v1 as pb;
use skep_types::{ClusterTime, Condition, ConditionKind, ConditionStatus, NodeRole, Phase};

use super::{ms, template};

/// `state` is the one the host is of.
pub(in crate::api) fn write(host: &Host, state: &State, now: ClusterTime) -> pb::Host {
    let mut to = pb::Host {
        id: host.id.to_string(),
        name: host.name.to_string(),
        revision: host.revision.to_string(),
        template: Some(template::write(&host.template)),
        phase: host.phase.label().to_owned(),
        phase_message: phase_message(&host.phase),
        phase_age_ms: ms(now.since(host.phase_since)),
        incarnation: host.incarnation,
        desired_absent: host.desired.absent,
        desired_power: power(host.desired.running).into(),
        operation: host.item_of.unwrap_or(host.created_by).to_string(),
        conditions: host.conditions.iter().map(|(kind, held)| condition(kind, held, now)).collect(),
        age_ms: ms(now.since(host.created_at)),
        ..pb::Host::default()
    };
    if let Some(instance) = &host.instance {
        to.provider_id = instance.instance.provider_id.to_string();
        to.private_address = address(instance.private_address);
        to.public_address = address(instance.public_address);
        to.zone.clone_from(&instance.zone);
    }
    if let Some(membership) = &host.membership {
        let swarm = state.swarms.get(&membership.swarm);
        to.swarm = swarm.map_or_else(|| membership.swarm.to_string(), |swarm| swarm.name.to_string());
        to.role = role(membership.role).into();
    }
    if let Some(facts) = &host.facts {
        to.engine_version.clone_from(&facts.engine_version);
        to.agent_version.clone_from(&facts.agent_version);
        to.operating_system.clone_from(&facts.operating_system);
    }
    to.node_id = host.node.as_ref().map(ToString::to_string).unwrap_or_default();
    to.coordinator = stream_holder(host);
    to
}

fn stream_holder(host: &Host) -> String {
    let session = host.session.as_ref().filter(|_| host.connected());
    session.map(|session| session.coordinator.to_string()).unwrap_or_default()
}

fn phase_message(phase: &Phase) -> String {
    match phase {
        Phase::Failed { class, message } => format!("{}: {message}", class.label()),
        Phase::Quarantined { reason } => reason.clone(),
        _ => String::new(),
    }
}

fn power(running: bool) -> pb::PowerState {
    if running { pb::PowerState::Running } else { pb::PowerState::Stopped }
}

fn role(role: NodeRole) -> pb::NodeRole {
    match role {
        NodeRole::Manager => pb::NodeRole::Manager,
        NodeRole::Worker => pb::NodeRole::Worker,
    }
}

fn condition(kind: ConditionKind, condition: &Condition, now: ClusterTime) -> pb::Condition {
    let status = match condition.status {
        ConditionStatus::True => pb::ConditionStatus::True,
        ConditionStatus::False => pb::ConditionStatus::False,
        ConditionStatus::Unknown => pb::ConditionStatus::Unknown,
    };
    pb::Condition {
        kind: kind.label().to_owned(),
        status: status.into(),
        reason: condition.reason.clone(),
        message: condition.message.clone(),
        since_ms: ms(now.since(condition.since)),
    }
}

fn address(address: Option<IpAddr>) -> String {
    address.map(|address| address.to_string()).unwrap_or_default()
}

/// Where the Docker front door of an instance is, as DOCKER_HOST wants it.
pub(in crate::api) fn docker_url(instance: &Instance) -> Option<String> {
    instance.reachable_address().map(|address| match address {
        IpAddr::V4(address) => format!("tcp://{address}:{DOCKER_PORT}"),
        IpAddr::V6(address) => format!("tcp://[{address}]:{DOCKER_PORT}"),
    })
}

const DOCKER_PORT: u16 = skep_types::AgentConfig::default_docker_port();
