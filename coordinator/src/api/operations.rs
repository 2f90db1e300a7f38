//! Operations: looked at, listed, and watched until they have finished.

use std::time::Duration;

use skep_core::State;
use skep_proto::v1 as pb;
use skep_types::{ClusterTime, OperationId, Refusal};
use tonic::{Request, Response, Status};

use super::convert::operation;
use super::follow::{Look, Then, Watch, Watched};
use super::paging::Page;
use super::status::answer;
use super::{Actor, Api};

#[tonic::async_trait]
impl pb::operations_server::Operations for Api {
    async fn get(
        &self,
        request: Request<pb::GetOperationRequest>,
    ) -> Result<Response<pb::Operation>, Status> {
        answer(self.get_operation(&request.get_ref().operation).await)
    }

    async fn list(
        &self,
        request: Request<pb::ListOperationsRequest>,
    ) -> Result<Response<pb::ListOperationsReply>, Status> {
        answer(self.list_operations(request.get_ref()).await)
    }

    type WatchStream = Watched<pb::Operation>;

    async fn watch(
        &self,
        request: Request<pb::GetOperationRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        answer(self.watch_operation(request).await)
    }
}

impl Api {
    async fn get_operation(&self, id: &str) -> Result<pb::Operation, Refusal> {
        let id = read_id(id)?;
        let (state, now) = self.read().await?;
        let record = state.operations.get(&id).ok_or_else(|| unknown(id))?;
        Ok(operation::write(record, &state, now))
    }

    async fn list_operations(
        &self,
        request: &pb::ListOperationsRequest,
    ) -> Result<pb::ListOperationsReply, Refusal> {
        let page: Page<OperationId> = Page::read(request.page_size, &request.page_token)?;
        let (state, now) = self.read().await?;
        let rows = state.operations.range(page.range());
        let rows = rows.filter(|(_, record)| !request.running_only || !record.state.finished());
        let (operations, next_page_token) =
            page.fill(rows.map(|(id, record)| (*id, operation::write(record, &state, now))));
        Ok(pb::ListOperationsReply { operations, next_page_token })
    }

    async fn watch_operation(
        &self,
        request: Request<pb::GetOperationRequest>,
    ) -> Result<Watched<pb::Operation>, Refusal> {
        let actor = Actor::of(&request)?;
        let id = read_id(&request.get_ref().operation)?;
        let (state, _) = self.read().await?;
        if !state.operations.contains_key(&id) {
            return Err(unknown(id));
        }
        Ok(self.follow(actor, OperationWatch { id, told: None }, state))
    }
}

fn read_id(text: &str) -> Result<OperationId, Refusal> {
    text.parse().map_err(|error| Refusal::field("operation", error))
}

fn unknown(id: OperationId) -> Refusal {
    Refusal::not_found(
        format!("operation {id}"),
        "finished ones are forgotten in time; `skep operation ls` lists them",
    )
}

/// One operation, told whenever something about it changed.
#[derive(Debug)]
struct OperationWatch {
    id: OperationId,
    /// The last thing told, without its age.
    told: Option<pb::Operation>,
}

impl Watch for OperationWatch {
    type Item = pb::Operation;

    /// Ten times a second: as often as a person sees a difference. All changes in between are one.
    const PACE: Duration = Duration::from_millis(100);

    fn look(&mut self, state: &State, now: ClusterTime) -> Result<Look<pb::Operation>, Refusal> {
        let Some(record) = state.operations.get(&self.id) else {
            return Err(unknown(self.id));
        };
        let then = if record.state.finished() { Then::End } else { Then::Wait };
        let operation = operation::write(record, state, now);
        let ageless = pb::Operation { age_ms: 0, ..operation.clone() };
        if self.told.as_ref() == Some(&ageless) {
            return Ok(Look { items: Vec::new(), then });
        }
        self.told = Some(ageless);
        Ok(Look { items: vec![operation], then })
    }
}

#[cfg(test)]
mod tests;
