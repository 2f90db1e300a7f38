//! How the API shows what there is.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Serialize;
use skep_driver::{DriverError, InstanceState};
use skep_types::ProviderId;

use super::problem::Problem;
use crate::world::SimInstance;

/// The tags by which skep knows its own again; a create without them is refused.
pub(super) const CLUSTER: &str = "skep-cluster";
pub(super) const INTENT: &str = "skep-intent";
pub(super) const HOST: &str = "skep-host";
pub(super) const INCARNATION: &str = "skep-incarnation";

#[derive(Debug, Serialize)]
pub(super) struct Shown {
    id: ProviderId,
    name: String,
    tags: BTreeMap<&'static str, String>,
    state: &'static str,
    address: Ipv4Addr,
    zone: String,
}

impl From<SimInstance> for Shown {
    fn from(instance: SimInstance) -> Self {
        let tags = [
            (CLUSTER, instance.cluster),
            (INTENT, instance.intent.map(|intent| intent.to_string())),
            (HOST, instance.host.map(|(host, _)| host.to_string())),
            (INCARNATION, instance.host.map(|(_, incarnation)| incarnation.to_string())),
        ];
        Self {
            id: instance.id,
            name: instance.name,
            tags: tags.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            state: word(instance.state),
            address: instance.address,
            zone: instance.zone,
        }
    }
}

fn word(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Starting => "starting",
        InstanceState::Running => "running",
        InstanceState::Stopping => "stopping",
        InstanceState::Stopped => "stopped",
        InstanceState::Destroyed => "destroyed",
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Created {
    pub(super) instances: Vec<Shown>,
    /// Why these are fewer than were asked for; no more will come.
    pub(super) shortfall: Option<Problem>,
}

#[derive(Debug, Serialize)]
pub(super) struct Listed {
    pub(super) instances: Vec<Shown>,
    /// What the request for the next page names, if there is one.
    pub(super) next: Option<String>,
}

/// One for each id of the request, in its order.
#[derive(Debug, Serialize)]
pub(super) struct Results {
    pub(super) results: Vec<One>,
}

/// Neither, where something was done.
#[derive(Debug, Default, Serialize)]
pub(super) struct One {
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem>,
}

impl One {
    pub(super) fn seen(instance: Option<Shown>) -> Self {
        Self { instance, error: None }
    }

    pub(super) fn failed(error: DriverError) -> Self {
        Self { instance: None, error: Some(Problem::of(error)) }
    }

    pub(super) fn done(result: Result<(), DriverError>) -> Self {
        result.map_or_else(Self::failed, |()| Self::default())
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Console {
    pub(super) output: String,
}

/// The answer to a check that found nothing wrong.
#[derive(Debug, Serialize)]
pub(super) struct Nothing {}
