//! Between the wire and the agent's own words: converted here, once, and bounded.

use std::net::IpAddr;

use skep_proto::agent as pb;
use skep_types::{NodeRole, NodeState, PermitId, Secret};

use crate::engine::{Join, LocalNode, LocalState, Node, NodeChange};
use crate::error::bounded;
use crate::facts::Resources;
use crate::observe::{EngineStatus, Report};
use crate::permit::{Assignment, Outcome, PermitOutcome, Work};

/// The contract's bound on one update of nodes; removals keep to it too.
const NODES_AT_ONCE: usize = 64;
/// Of a report: at some 300 bytes each well below a gRPC message, and more than Docker swarms are run with.
const NODES_LISTED: usize = 8_000;

/// None where there is nothing to do, or the permit has no readable name to answer to.
pub(crate) fn assignment(message: pb::Assignment) -> Option<Assignment> {
    let permit = message.permit_id.parse::<PermitId>().ok()?;
    Some(Assignment { permit, traceparent: message.traceparent, work: work(message.work) })
}

fn work(work: Option<pb::assignment::Work>) -> Result<Work, String> {
    use pb::assignment::Work as Wire;
    match work.ok_or("this agent does not know such work")? {
        Wire::Init(init) => Ok(Work::Init { advertise: address(&init.advertise_address)? }),
        Wire::Join(join) => self::join(join),
        Wire::Leave(leave) => Ok(Work::Leave { force: leave.force }),
        Wire::UpdateNodes(update) => {
            at_most(update.changes.len())?;
            update.changes.into_iter().map(change).collect::<Result<_, _>>().map(Work::UpdateNodes)
        }
        Wire::RemoveNodes(remove) => {
            at_most(remove.node_ids.len())?;
            Ok(Work::RemoveNodes { node_ids: remove.node_ids, force: remove.force })
        }
    }
}

fn join(join: pb::SwarmJoin) -> Result<Work, String> {
    if join.managers.is_empty() || join.swarm_id.is_empty() {
        return Err("managers and swarm_id must be given".to_owned());
    }
    let advertise = address(&join.advertise_address)?;
    Ok(Work::Join {
        join: Join { managers: join.managers, token: Secret::new(join.token), advertise },
        swarm_id: join.swarm_id,
    })
}

fn change(change: pb::NodeChange) -> Result<NodeChange, String> {
    let role = match change.role() {
        pb::NodeRole::Unspecified => None,
        pb::NodeRole::Manager => Some(NodeRole::Manager),
        pb::NodeRole::Worker => Some(NodeRole::Worker),
    };
    Ok(NodeChange { node_id: change.node_id, role, labels: change.labels.into_iter().collect() })
}

fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("advertise_address {text:?} is not an IP address"))
}

fn at_most(nodes: usize) -> Result<(), String> {
    if nodes > NODES_AT_ONCE {
        Err(format!("{nodes} nodes are more than {NODES_AT_ONCE} at once"))
    } else {
        Ok(())
    }
}

pub(crate) fn outcome(told: &PermitOutcome) -> pb::PermitOutcome {
    use pb::permit_outcome::Outcome as Wire;
    let outcome = match &told.outcome {
        Outcome::Done(done) => Wire::Done(pb::Done {
            node_id: done.node_id.clone(),
            swarm_id: done.swarm_id.clone(),
            worker_token: done
                .worker_token
                .as_ref()
                .map(|token| token.reveal().to_owned())
                .unwrap_or_default(),
        }),
        Outcome::NotDone { message } => Wire::NotDone(pb::NotDone { message: bounded(message.clone()) }),
        Outcome::InProgress { message } => {
            Wire::InProgress(pb::InProgress { message: bounded(message.clone()) })
        }
    };
    pb::PermitOutcome { permit_id: told.permit.to_string(), outcome: Some(outcome) }
}

pub(crate) fn report(report: &Report) -> pb::Report {
    let (engine, node) = match &report.engine {
        EngineStatus::Ready { facts, node } => (
            pb::Engine {
                ready: true,
                version: facts.version.clone(),
                api_version: facts.api_version.clone(),
                operating_system: facts.operating_system.clone(),
                kernel: facts.kernel.clone(),
                architecture: facts.architecture.clone(),
                message: String::new(),
            },
            Some(local_node(node)),
        ),
        EngineStatus::NotReady { message } => {
            (pb::Engine { message: message.clone(), ..pb::Engine::default() }, None)
        }
    };
    let listed = report.nodes.as_deref().filter(|nodes| nodes.len() <= NODES_LISTED);
    pb::Report {
        engine: Some(engine),
        resources: Some(resources(report.resources)),
        node,
        nodes: listed.unwrap_or_default().iter().map(self::node).collect(),
        nodes_listed: listed.is_some(),
    }
}

fn resources(resources: Resources) -> pb::Resources {
    pb::Resources {
        memory_total_bytes: resources.memory_total_bytes,
        memory_available_bytes: resources.memory_available_bytes,
        disk_total_bytes: resources.disk_total_bytes,
        disk_available_bytes: resources.disk_available_bytes,
        load_hundredths: resources.load_hundredths,
        cpus: resources.cpus,
    }
}

fn local_node(node: &LocalNode) -> pb::LocalNode {
    let state = match node.state {
        LocalState::Inactive => pb::LocalNodeState::Inactive,
        LocalState::Pending => pb::LocalNodeState::Pending,
        LocalState::Active => pb::LocalNodeState::Active,
        LocalState::Error => pb::LocalNodeState::Error,
        LocalState::Locked => pb::LocalNodeState::Locked,
    };
    pb::LocalNode {
        state: state.into(),
        node_id: node.node_id.clone(),
        swarm_id: node.swarm_id.clone(),
        manager: node.manager,
        error: bounded(node.error.clone()),
    }
}

fn node(node: &Node) -> pb::Node {
    let role = match node.role {
        NodeRole::Manager => pb::NodeRole::Manager,
        NodeRole::Worker => pb::NodeRole::Worker,
    };
    let state = match node.state {
        NodeState::Unknown => pb::NodeState::Unknown,
        NodeState::Ready => pb::NodeState::Ready,
        NodeState::Down => pb::NodeState::Down,
        NodeState::Disconnected => pb::NodeState::Disconnected,
    };
    pb::Node {
        node_id: node.node_id.clone(),
        hostname: node.hostname.clone(),
        role: role.into(),
        state: state.into(),
        leader: node.leader,
        manager_reachable: node.manager_reachable,
        manager_member: node.manager_member,
        address: node.address.clone(),
        labels: node.labels.clone().into_iter().collect(),
        availability: node.availability.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_permit_is_nothing_to_do() {
        assert_eq!(assignment(pb::Assignment::default()), None);
    }

    #[test]
    fn work_that_cannot_be_meant_keeps_its_permit_and_says_why() {
        let init = pb::SwarmInit { advertise_address: "eth0".to_owned() };
        let message = pb::Assignment {
            permit_id: "p1-7".to_owned(),
            traceparent: String::new(),
            work: Some(pb::assignment::Work::Init(init)),
        };
        let assignment = assignment(message).unwrap();
        assert_eq!(assignment.permit, PermitId::new(1, 7));
        assert_eq!(assignment.work.unwrap_err(), r#"advertise_address "eth0" is not an IP address"#);
    }

    #[test]
    fn at_most_64_nodes_at_once() {
        let remove = pb::RemoveNodes { node_ids: vec!["n".to_owned(); 65], force: false };
        assert!(work(Some(pb::assignment::Work::RemoveNodes(remove))).is_err());
    }
}
