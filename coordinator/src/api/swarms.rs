//! Swarms: made with their hosts, looked at, and deleted with them.

use skep_core::command::Request as Asked;
use skep_proto::v1 as pb;
use skep_types::{Refusal, SwarmId};
use tonic::{Request, Response, Status};

use super::convert::mutation::body_digest;
use super::convert::{requests, swarm};
use super::mutate::Begun;
use super::paging::Page;
use super::status::answer;
use super::{Actor, Api, hosts};

#[tonic::async_trait]
impl pb::swarms_server::Swarms for Api {
    async fn create(
        &self,
        request: Request<pb::CreateSwarmRequest>,
    ) -> Result<Response<pb::Operation>, Status> {
        answer(self.create_swarm(request).await)
    }

    async fn delete(
        &self,
        request: Request<pb::DeleteSwarmRequest>,
    ) -> Result<Response<pb::Operation>, Status> {
        answer(self.delete_swarm(request).await)
    }

    async fn get(&self, request: Request<pb::GetSwarmRequest>) -> Result<Response<pb::Swarm>, Status> {
        answer(self.get_swarm(&request.get_ref().swarm).await)
    }

    async fn list(
        &self,
        request: Request<pb::ListSwarmsRequest>,
    ) -> Result<Response<pb::ListSwarmsReply>, Status> {
        answer(self.list_swarms(request.get_ref()).await)
    }
}

impl Api {
    async fn create_swarm(&self, request: Request<pb::CreateSwarmRequest>) -> Result<pb::Operation, Refusal> {
        let actor = Actor::of(&request)?;
        let mut request = request.into_inner();
        let mutation = request.mutation.take();
        let body = body_digest(actor.method(), &request);
        let create = requests::create_swarm(request)?;
        let call = match self.begin(&actor, mutation, body).await? {
            Begun::Repeated(operation) => return Ok(*operation),
            Begun::Fresh(call) => call,
        };
        hosts::check(&self.context, &call.state, &create.shares).await?;
        self.carry_out(*call, Asked::CreateSwarm(create)).await
    }

    async fn delete_swarm(&self, request: Request<pb::DeleteSwarmRequest>) -> Result<pb::Operation, Refusal> {
        let actor = Actor::of(&request)?;
        let mut request = request.into_inner();
        let mutation = request.mutation.take();
        let call = match self.begin(&actor, mutation, body_digest(actor.method(), &request)).await? {
            Begun::Repeated(operation) => return Ok(*operation),
            Begun::Fresh(call) => call,
        };
        let swarm = hosts::swarm(&call.state, "swarm", &request.swarm)?.id;
        self.carry_out(*call, Asked::DeleteSwarm { swarm }).await
    }

    async fn get_swarm(&self, name: &str) -> Result<pb::Swarm, Refusal> {
        let (state, now) = self.read().await?;
        Ok(swarm::write(hosts::swarm(&state, "swarm", name)?, &state, now))
    }

    async fn list_swarms(&self, request: &pb::ListSwarmsRequest) -> Result<pb::ListSwarmsReply, Refusal> {
        let page: Page<SwarmId> = Page::read(request.page_size, &request.page_token)?;
        let (state, now) = self.read().await?;
        let rows = state.swarms.range(page.range());
        let (swarms, next_page_token) =
            page.fill(rows.map(|(id, record)| (*id, swarm::write(record, &state, now))));
        Ok(pb::ListSwarmsReply { swarms, next_page_token })
    }
}
