//! Containers that exist, as the engine lists them: the one way this driver looks at the world.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use bollard::Docker;
use bollard::models::{ContainerSummary, ContainerSummaryStateEnum};
use bollard::query_parameters::ListContainersOptions;
use skep_driver::{DriverError, Instance, InstanceState};
use skep_types::InstanceRef;

use crate::{errors, naming};

/// All hosts of this driver are in one place.
const ZONE: &str = "local";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Existing {
    pub(crate) id: String,
    pub(crate) state: State,
    labels: HashMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Never started: its creation may not be complete.
    Created,
    Running,
    Removing,
    Stopped,
}

impl Existing {
    fn from_summary(summary: ContainerSummary) -> Option<Self> {
        Some(Self {
            id: summary.id?,
            state: State::from_engine(summary.state?),
            labels: summary.labels.unwrap_or_default(),
        })
    }

    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    pub(crate) fn is_of(&self, cluster: &str) -> bool {
        self.label(naming::CLUSTER) == cluster
    }

    pub(crate) fn address(&self) -> Option<Ipv4Addr> {
        self.label(naming::ADDRESS).parse().ok()
    }

    /// None where the engine's id is no provider id, which it always is.
    pub(crate) fn instance(&self) -> Option<Instance> {
        let name = self.label(naming::NAME).to_owned();
        Some(Instance {
            instance: InstanceRef { provider_id: self.id.parse().ok()?, name },
            intent: self.label(naming::INTENT).parse().ok(),
            state: self.state.of_instance(),
            private_address: self.address().map(IpAddr::V4),
            public_address: None,
            zone: ZONE.to_owned(),
            kept: None,
        })
    }
}

impl State {
    fn from_engine(state: ContainerSummaryStateEnum) -> Self {
        use ContainerSummaryStateEnum as Engine;
        match state {
            Engine::CREATED => Self::Created,
            Engine::RUNNING | Engine::PAUSED | Engine::RESTARTING => Self::Running,
            Engine::REMOVING => Self::Removing,
            // A dead container is one whose removal failed half-way: it is still there to be destroyed.
            Engine::EXITED | Engine::DEAD | Engine::STOPPING | Engine::EMPTY => Self::Stopped,
        }
    }

    fn of_instance(self) -> InstanceState {
        match self {
            Self::Created => InstanceState::Starting,
            Self::Running => InstanceState::Running,
            Self::Removing => InstanceState::Stopping,
            Self::Stopped => InstanceState::Stopped,
        }
    }
}

/// All hosts of the cluster, running or not.
pub(crate) async fn of_cluster(docker: &Docker, cluster: &str) -> Result<Vec<Existing>, DriverError> {
    list(docker, HashMap::from([naming::of_cluster(cluster)])).await
}

/// The container of exactly this name, whoever's it is.
pub(crate) async fn named(docker: &Docker, name: &str) -> Result<Option<Existing>, DriverError> {
    let filter = HashMap::from([("name".to_owned(), vec![format!("^/{name}$")])]);
    Ok(list(docker, filter).await?.pop())
}

/// The container of exactly this id, whoever's it is.
pub(crate) async fn with_id(docker: &Docker, id: &str) -> Result<Option<Existing>, DriverError> {
    let filter = HashMap::from([("id".to_owned(), vec![id.to_owned()])]);
    Ok(list(docker, filter).await?.into_iter().find(|existing| existing.id == id))
}

pub(crate) fn addresses(existing: &[Existing]) -> BTreeSet<Ipv4Addr> {
    existing.iter().filter_map(Existing::address).collect()
}

async fn list(docker: &Docker, filters: HashMap<String, Vec<String>>) -> Result<Vec<Existing>, DriverError> {
    let options = ListContainersOptions { all: true, filters: Some(filters), ..Default::default() };
    let summaries = docker.list_containers(Some(options)).await;
    let summaries = summaries.map_err(errors::reading("the engine did not list its containers"))?;
    Ok(summaries.into_iter().filter_map(Existing::from_summary).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_read_from_its_labels() {
        let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let existing = Existing {
            id: "4f2a".to_owned(),
            state: State::Stopped,
            labels: HashMap::from([
                label(naming::NAME, "web-1"),
                label(naming::INTENT, "i1-7"),
                label(naming::ADDRESS, "10.208.4.2"),
            ]),
        };
        let instance = existing.instance().unwrap();
        assert_eq!(instance.instance.name, "web-1");
        assert_eq!(instance.intent, "i1-7".parse().ok());
        assert_eq!(instance.private_address, "10.208.4.2".parse().ok());
    }

    #[test]
    fn unreadable_labels_leave_an_instance_without_an_intent() {
        let existing = Existing { id: "4f2a".to_owned(), state: State::Running, labels: HashMap::new() };
        assert_eq!(existing.instance().unwrap().intent, None);
    }
}
