//! Hosts.

use skep_proto::v1::docker_access_request::Target;
use skep_proto::v1::hosts_server::Hosts;
use skep_proto::v1::{
    CreateHostsRequest, DeleteHostsRequest, DockerAccess, DockerAccessRequest, Explanation, GetHostRequest,
    Host, ListHostsReply, ListHostsRequest, Operation, PowerHostsRequest,
};
use tonic::{Request, Response, Status};

use super::Fake;

/// Small, so that lists take several.
const PAGE: usize = 2;

impl Fake {
    fn host(&self, name: &str) -> Result<Host, Status> {
        let world = self.world();
        let host = world.hosts.iter().find(|host| host.name == name || host.id == name);
        host.cloned().ok_or_else(|| Status::not_found(format!("there is no host {name:?}; see `skep ls`")))
    }
}

#[tonic::async_trait]
impl Hosts for Fake {
    async fn create(&self, request: Request<CreateHostsRequest>) -> Result<Response<Operation>, Status> {
        self.heard("Hosts/Create", request)?;
        Ok(Response::new(self.world().answer.clone()))
    }

    async fn delete(&self, request: Request<DeleteHostsRequest>) -> Result<Response<Operation>, Status> {
        self.heard("Hosts/Delete", request)?;
        Ok(Response::new(self.world().answer.clone()))
    }

    async fn power(&self, request: Request<PowerHostsRequest>) -> Result<Response<Operation>, Status> {
        self.heard("Hosts/Power", request)?;
        Ok(Response::new(self.world().answer.clone()))
    }

    async fn get(&self, request: Request<GetHostRequest>) -> Result<Response<Host>, Status> {
        let request = self.heard("Hosts/Get", request)?;
        self.host(&request.host).map(Response::new)
    }

    async fn list(&self, request: Request<ListHostsRequest>) -> Result<Response<ListHostsReply>, Status> {
        let request = self.heard("Hosts/List", request)?;
        let from: usize = request.page_token.parse().unwrap_or(0);
        let world = self.world();
        let hosts: Vec<Host> = world.hosts.iter().skip(from).take(PAGE).cloned().collect();
        let next = from + hosts.len();
        let next_page_token = if next < world.hosts.len() { next.to_string() } else { String::new() };
        Ok(Response::new(ListHostsReply { hosts, next_page_token, revision: "r1-9".into() }))
    }

    async fn explain(&self, request: Request<GetHostRequest>) -> Result<Response<Explanation>, Status> {
        let request = self.heard("Hosts/Explain", request)?;
        Ok(Response::new(Explanation {
            host: Some(self.host(&request.host)?),
            step: "wait".into(),
            reason: "AwaitingAgent".into(),
            message: "the agent has not enrolled".into(),
            deadline_ms: 840_000,
            events: vec!["60s ago Provisioning".into(), "2s ago Booting".into()],
            console: String::new(),
        }))
    }

    async fn docker_access(
        &self,
        request: Request<DockerAccessRequest>,
    ) -> Result<Response<DockerAccess>, Status> {
        let request = self.heard("Hosts/DockerAccess", request)?;
        let host = match request.target {
            Some(Target::Host(name)) => self.host(&name)?,
            _ => self.world().hosts[0].clone(),
        };
        let world = self.world();
        let issuer = world.issuer.as_ref().ok_or_else(|| Status::internal("no issuer"))?;
        Ok(Response::new(DockerAccess {
            url: format!("tcp://{}:2376", host.private_address),
            host: host.name,
            ca: issuer.root_pem(),
            certificate: issuer.certify(&request.signing_request, 60, 3_600),
            expires_in_ms: 3_600_000,
        }))
    }
}
