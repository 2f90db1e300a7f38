//! Docker access: a short-lived client certificate, and where to use it.

use std::sync::Arc;
use std::time::Duration;

use skep_core::State;
use skep_core::state::{Host, Instance, Swarm};
use skep_proto::v1 as pb;
use skep_tls::{public_key_of_request, wall_now};
use skep_types::{Code, NodeRole, NodeState, Phase, Refusal};
use tonic::Request;

use super::names;
use crate::api::convert::host::docker_url;
use crate::api::status::internal;
use crate::api::{Actor, Api};

use pb::docker_access_request::Target;

impl Api {
    pub(super) async fn give_docker_access(
        &self,
        request: Request<pb::DockerAccessRequest>,
    ) -> Result<pb::DockerAccess, Refusal> {
        let actor = Actor::of(&request)?;
        let request = request.into_inner();
        let key = public_key_of_request(&request.signing_request)
            .map_err(|error| Refusal::field("signing_request", error))?;
        let (state, _) = self.read().await?;
        let door = door(&state, request.target)?;
        let docker = &self.context.trust.issuers;
        let now = wall_now();
        let issued = docker
            .docker_client(&actor.name, &key, now)
            .map_err(|error| internal("the certificate cannot be issued", &error))?;
        tracing::info!(person = %actor.name, host = door.host, serial = issued.leaf.serial, "docker access given");
        Ok(pb::DockerAccess {
            host: door.host,
            url: door.url,
            ca: docker.docker.root_pem(),
            certificate: issued.pem(),
            expires_in_ms: ms(issued.leaf.not_after.since(now)),
        })
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Where a Docker client knocks.
#[derive(Debug, PartialEq, Eq)]
struct Door {
    host: String,
    url: String,
}

fn door(state: &State, target: Option<Target>) -> Result<Door, Refusal> {
    match target {
        Some(Target::Host(name)) => of_host(names::host(state, "host", &name)?),
        Some(Target::Swarm(name)) => of_swarm(state, names::swarm(state, "swarm", &name)?),
        None => Err(Refusal::field("target", "is missing; name a host or a swarm")),
    }
}

/// The host's engine may be unwell, and its agent silent: the front door is a process of its own, so people get to it
/// as long as it may be there.
fn of_host(host: &Host) -> Result<Door, Refusal> {
    let hint = match host.phase {
        Phase::Pending | Phase::Provisioning { .. } | Phase::Booting | Phase::Installing => {
            "its engine is not there yet; wait until it is Ready"
        }
        Phase::Stopping { .. } | Phase::Stopped => "start it first",
        Phase::Starting { .. } => "it is being started; wait until it is Ready",
        Phase::Deleting { .. } => "it is being deleted",
        Phase::Joining
        | Phase::Ready
        | Phase::Maintaining { .. }
        | Phase::Demoting
        | Phase::Leaving
        | Phase::Failed { .. }
        | Phase::Quarantined { .. } => {
            let url = host.instance.as_ref().and_then(docker_url);
            let name = host.name.to_string();
            return url.map(|url| Door { host: name, url }).ok_or_else(|| refused(host, "it has no address"));
        }
    };
    Err(refused(host, hint))
}

fn refused(host: &Host, hint: &str) -> Refusal {
    Refusal::new(Code::Precondition, format!("{} is {}: {hint}", host.name, host.phase.label()))
}

/// The first manager that is connected and that the others reach.
fn of_swarm(state: &State, swarm: &Swarm) -> Result<Door, Refusal> {
    let managers = state.members(swarm.id).filter(|host| host.role() == Some(NodeRole::Manager));
    let serving = |host: &&Arc<Host>| {
        let node = host.node.as_ref().and_then(|node| swarm.nodes.get(node));
        let reached = node.is_some_and(|node| node.state == NodeState::Ready && node.reachable);
        host.phase == Phase::Ready && host.connected() && reached
    };
    // The others list a new manager a moment before its own engine acts as one; the leader's does.
    let leads = |host: &Host| {
        let node = host.node.as_ref().and_then(|node| swarm.nodes.get(node));
        node.is_some_and(|node| node.leader)
    };
    let doors = managers.filter(serving).filter_map(|host| {
        let url = host.instance.as_ref().and_then(|instance: &Instance| docker_url(instance))?;
        Some((!leads(host), Door { host: host.name.to_string(), url }))
    });
    doors.min_by_key(|(follows, _)| *follows).map(|(_, door)| door).ok_or_else(|| {
        let hint = "no manager of it is ready and connected; `skep swarm inspect` says what it has";
        Refusal::new(Code::Precondition, format!("swarm {}: {hint}", swarm.name))
    })
}

#[cfg(test)]
mod tests;
