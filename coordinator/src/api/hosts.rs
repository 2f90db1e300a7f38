//! Hosts: made in bulk, listed, explained, powered, deleted, and opened for plain `docker`.

mod docker_access;
mod explain;
mod names;
mod template;

use skep_core::command::Request as Asked;
use skep_proto::v1 as pb;
use skep_types::{HostId, Refusal};
use tonic::{Request, Response, Status};

use super::convert::mutation::body_digest;
use super::convert::{host, requests};
use super::filter::Filter;
use super::mutate::Begun;
use super::paging::Page;
use super::status::answer;
use super::{Actor, Api};
pub(super) use names::swarm;
pub(super) use template::check;

#[tonic::async_trait]
impl pb::hosts_server::Hosts for Api {
    async fn create(
        &self,
        request: Request<pb::CreateHostsRequest>,
    ) -> Result<Response<pb::Operation>, Status> {
        answer(self.create_hosts(request).await)
    }

    async fn delete(
        &self,
        request: Request<pb::DeleteHostsRequest>,
    ) -> Result<Response<pb::Operation>, Status> {
        answer(self.delete_hosts(request).await)
    }

    async fn power(
        &self,
        request: Request<pb::PowerHostsRequest>,
    ) -> Result<Response<pb::Operation>, Status> {
        answer(self.power_hosts(request).await)
    }

    async fn get(&self, request: Request<pb::GetHostRequest>) -> Result<Response<pb::Host>, Status> {
        answer(self.get_host(&request.get_ref().host).await)
    }

    async fn list(
        &self,
        request: Request<pb::ListHostsRequest>,
    ) -> Result<Response<pb::ListHostsReply>, Status> {
        answer(self.list_hosts(request.get_ref()).await)
    }

    async fn explain(
        &self,
        request: Request<pb::GetHostRequest>,
    ) -> Result<Response<pb::Explanation>, Status> {
        answer(self.explain_host(&request.get_ref().host).await)
    }

    async fn docker_access(
        &self,
        request: Request<pb::DockerAccessRequest>,
    ) -> Result<Response<pb::DockerAccess>, Status> {
        answer(self.give_docker_access(request).await)
    }
}

impl Api {
    async fn create_hosts(&self, request: Request<pb::CreateHostsRequest>) -> Result<pb::Operation, Refusal> {
        let actor = Actor::of(&request)?;
        let mut request = request.into_inner();
        let mutation = request.mutation.take();
        let body = body_digest(actor.method(), &request);
        let create = requests::create_hosts(request)?;
        let call = match self.begin(&actor, mutation, body).await? {
            Begun::Repeated(operation) => return Ok(*operation),
            Begun::Fresh(call) => call,
        };
        check(&self.context, &call.state, &create.shares).await?;
        self.carry_out(*call, Asked::CreateHosts(create)).await
    }

    async fn delete_hosts(&self, request: Request<pb::DeleteHostsRequest>) -> Result<pb::Operation, Refusal> {
        let actor = Actor::of(&request)?;
        let mut request = request.into_inner();
        let mutation = request.mutation.take();
        requests::named_hosts(&request.hosts)?;
        let call = match self.begin(&actor, mutation, body_digest(actor.method(), &request)).await? {
            Begun::Repeated(operation) => return Ok(*operation),
            Begun::Fresh(call) => call,
        };
        let hosts = names::hosts(&call.state, &request.hosts)?;
        self.carry_out(*call, Asked::DeleteHosts { hosts, force: request.force }).await
    }

    async fn power_hosts(&self, request: Request<pb::PowerHostsRequest>) -> Result<pb::Operation, Refusal> {
        let actor = Actor::of(&request)?;
        let mut request = request.into_inner();
        let mutation = request.mutation.take();
        requests::named_hosts(&request.hosts)?;
        let action = requests::power_action(request.action)?;
        let call = match self.begin(&actor, mutation, body_digest(actor.method(), &request)).await? {
            Begun::Repeated(operation) => return Ok(*operation),
            Begun::Fresh(call) => call,
        };
        let hosts = names::hosts(&call.state, &request.hosts)?;
        self.carry_out(*call, Asked::PowerHosts { hosts, action }).await
    }

    async fn get_host(&self, name: &str) -> Result<pb::Host, Refusal> {
        let (state, now) = self.read().await?;
        Ok(host::write(names::host(&state, "host", name)?, &state, now))
    }

    async fn list_hosts(&self, request: &pb::ListHostsRequest) -> Result<pb::ListHostsReply, Refusal> {
        let page: Page<HostId> = Page::read(request.page_size, &request.page_token)?;
        let filter = Filter::read(&request.filters)?;
        let (state, now) = self.read().await?;
        let rows = state.hosts.range(page.range()).filter(|(_, host)| filter.matches(host, &state));
        let (hosts, next_page_token) =
            page.fill(rows.map(|(id, host)| (*id, host::write(host, &state, now))));
        Ok(pb::ListHostsReply { hosts, next_page_token, revision: state.now_revision().to_string() })
    }
}
