//! Swarms.

use skep_proto::v1::swarms_server::Swarms;
use skep_proto::v1::{
    CreateSwarmRequest, DeleteSwarmRequest, GetSwarmRequest, ListSwarmsReply, ListSwarmsRequest, Operation,
    Swarm,
};
use tonic::{Request, Response, Status};

use super::Fake;

#[tonic::async_trait]
impl Swarms for Fake {
    async fn create(&self, request: Request<CreateSwarmRequest>) -> Result<Response<Operation>, Status> {
        self.heard("Swarms/Create", request)?;
        Ok(Response::new(self.world().answer.clone()))
    }

    async fn delete(&self, request: Request<DeleteSwarmRequest>) -> Result<Response<Operation>, Status> {
        self.heard("Swarms/Delete", request)?;
        Ok(Response::new(self.world().answer.clone()))
    }

    async fn get(&self, request: Request<GetSwarmRequest>) -> Result<Response<Swarm>, Status> {
        let name = self.heard("Swarms/Get", request)?.swarm;
        let swarm = self.world().swarms.iter().find(|swarm| swarm.name == name).cloned();
        swarm.map(Response::new).ok_or_else(|| Status::not_found(format!("there is no swarm {name:?}")))
    }

    async fn list(&self, request: Request<ListSwarmsRequest>) -> Result<Response<ListSwarmsReply>, Status> {
        self.heard("Swarms/List", request)?;
        let swarms = self.world().swarms.clone();
        Ok(Response::new(ListSwarmsReply { swarms, next_page_token: String::new() }))
    }
}
