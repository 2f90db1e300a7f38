//! What people ask of a cluster, and waiting until it is done.

use std::sync::Arc;

use anyhow::Context;
use skep_coordinator::raft::Published;
use skep_core::state::Operation;
use skep_proto::v1 as pb;
use skep_types::OperationId;

use super::clients::mutation;
use super::cluster::InProcess;

/// A request for simulated hosts NAME-1 … NAME-count, under a request id made of the name.
pub fn create(name: &str, count: u32) -> pb::CreateHostsRequest {
    pb::CreateHostsRequest {
        mutation: mutation(&format!("create-{name}")),
        template: Some(template()),
        name: name.to_owned(),
        count,
        ..Default::default()
    }
}

pub fn template() -> pb::Template {
    pb::Template { driver: "sim".to_owned(), ..Default::default() }
}

pub fn delete(request_id: &str, hosts: impl IntoIterator<Item = String>) -> pb::DeleteHostsRequest {
    pb::DeleteHostsRequest {
        mutation: mutation(request_id),
        hosts: hosts.into_iter().collect(),
        force: false,
    }
}

impl InProcess {
    /// Asks, through whichever coordinator answers, and waits until it is done.
    pub async fn create(&self, request: pb::CreateHostsRequest) -> anyhow::Result<Arc<Operation>> {
        let asked = self.operator()?.ask(async |c| c.hosts.clone().create(request.clone()).await).await?;
        self.finished(&asked.id).await
    }

    pub async fn delete(&self, request: pb::DeleteHostsRequest) -> anyhow::Result<Arc<Operation>> {
        let asked = self.operator()?.ask(async |c| c.hosts.clone().delete(request.clone()).await).await?;
        self.finished(&asked.id).await
    }

    pub async fn finished(&self, operation: &str) -> anyhow::Result<Arc<Operation>> {
        let id: OperationId = operation.parse()?;
        let finished = |state: &Published| {
            state.operations.get(&id).filter(|operation| operation.finished_at.is_some()).cloned()
        };
        let state = self.until(&format!("{operation} is done"), |state| finished(state).is_some()).await?;
        finished(&state).context("it was done a moment ago")
    }

    /// Everything that was acknowledged has happened: no intent is open, and every coordinator runs and agrees.
    pub async fn at_rest(&self) -> anyhow::Result<Arc<Published>> {
        self.until("no intent is open", |state| state.intents.is_empty()).await?;
        let states = self.settled().await?;
        states.into_iter().max_by_key(|state| state.applied_index).context("nobody runs")
    }
}
