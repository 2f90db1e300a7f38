//! What a host should be doing now: a function of its record.

use std::collections::HashMap;
use std::net::IpAddr;

use skep_core::State;
use skep_core::state::{Host, NodeChange, Task};
use skep_proto::agent::assignment::Work;
use skep_proto::agent::{self, Assignment, RemoveNodes, SwarmInit, SwarmJoin, SwarmLeave, UpdateNodes};
use skep_types::{NodeRole, SwarmId};

use crate::context::Trust;
use crate::trust::TrustError;

/// Docker's port for managers.
const SWARM_PORT: u16 = 2377;

/// What a swarm's worker token is sealed for.
pub(super) fn worker_token_resource(swarm: SwarmId) -> String {
    format!("swarm/{swarm}/worker-token")
}

/// None when the permit's work lacks something that is not there yet.
pub(super) fn of(host: &Host, state: &State, trust: &Trust) -> Result<Option<Assignment>, TrustError> {
    let Some(permit) = &host.permit else {
        return Ok(Some(Assignment::default()));
    };
    let work = match &permit.task {
        Task::SwarmInit { advertise } => Work::Init(SwarmInit { advertise_address: advertise.to_string() }),
        Task::SwarmJoin { advertise, managers } => match join(host, state, trust, *advertise, managers)? {
            Some(join) => Work::Join(join),
            None => return Ok(None),
        },
        Task::SwarmLeave { force } => Work::Leave(SwarmLeave { force: *force }),
        Task::UpdateNodes { changes } => {
            Work::UpdateNodes(UpdateNodes { changes: changes.iter().map(node_change).collect() })
        }
        Task::RemoveNodes { nodes, force } => {
            let node_ids = nodes.iter().map(ToString::to_string).collect();
            Work::RemoveNodes(RemoveNodes { node_ids, force: *force })
        }
    };
    Ok(Some(Assignment { permit_id: permit.id.to_string(), traceparent: String::new(), work: Some(work) }))
}

fn join(
    host: &Host,
    state: &State,
    trust: &Trust,
    advertise: IpAddr,
    managers: &[IpAddr],
) -> Result<Option<SwarmJoin>, TrustError> {
    let swarm = host.membership.as_ref().and_then(|membership| state.swarms.get(&membership.swarm));
    let Some((swarm, sealed)) = swarm.and_then(|swarm| Some((swarm, swarm.worker_token.as_ref()?))) else {
        return Ok(None);
    };
    let token = trust.sealer.open(&worker_token_resource(swarm.id), sealed)?;
    Ok(Some(SwarmJoin {
        managers: managers
            .iter()
            .map(|address| std::net::SocketAddr::new(*address, SWARM_PORT).to_string())
            .collect(),
        token: String::from_utf8_lossy(&token).into_owned(),
        advertise_address: advertise.to_string(),
        swarm_id: swarm.docker_id.clone().unwrap_or_default(),
    }))
}

fn node_change(change: &NodeChange) -> agent::NodeChange {
    let role = match change.role {
        None => agent::NodeRole::Unspecified,
        Some(NodeRole::Manager) => agent::NodeRole::Manager,
        Some(NodeRole::Worker) => agent::NodeRole::Worker,
    };
    let labels: HashMap<String, String> = change.labels.iter().cloned().collect();
    agent::NodeChange { node_id: change.node.to_string(), role: role.into(), labels }
}
