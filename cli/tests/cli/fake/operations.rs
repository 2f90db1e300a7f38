//! Operations.

use std::pin::Pin;

use futures::Stream;
use skep_proto::v1::operations_server::Operations;
use skep_proto::v1::{GetOperationRequest, ListOperationsReply, ListOperationsRequest, Operation};
use tonic::{Request, Response, Status};

use super::{Fake, unroll};

#[tonic::async_trait]
impl Operations for Fake {
    async fn get(&self, request: Request<GetOperationRequest>) -> Result<Response<Operation>, Status> {
        let id = self.heard("Operations/Get", request)?.operation;
        let operation = self.world().operations.iter().find(|operation| operation.id == id).cloned();
        operation.map(Response::new).ok_or_else(|| Status::not_found(format!("there is no operation {id:?}")))
    }

    async fn list(
        &self,
        request: Request<ListOperationsRequest>,
    ) -> Result<Response<ListOperationsReply>, Status> {
        self.heard("Operations/List", request)?;
        let operations = self.world().operations.clone();
        Ok(Response::new(ListOperationsReply { operations, next_page_token: String::new() }))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<Operation, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<GetOperationRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        self.heard("Operations/Watch", request)?;
        let mut world = self.world();
        if let Some(watching) = &world.watching {
            watching.send(()).unwrap();
        }
        Ok(Response::new(unroll(world.operation_reels.pop_front())))
    }
}
