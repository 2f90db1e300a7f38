//! The cluster: its coordinators, and the people that may use it.

mod certificates;
mod coordinators;
mod join;
mod people;
mod show;

use skep_proto::v1 as pb;
use tonic::{Request, Response, Status};

use super::Api;
use super::status::answer;

#[tonic::async_trait]
impl pb::cluster_server::Cluster for Api {
    async fn status(
        &self,
        _request: Request<pb::StatusRequest>,
    ) -> Result<Response<pb::ClusterStatus>, Status> {
        answer(self.cluster_status().await)
    }

    async fn create_join_token(
        &self,
        request: Request<pb::CreateJoinTokenRequest>,
    ) -> Result<Response<pb::CreateJoinTokenReply>, Status> {
        answer(self.create_token(request).await)
    }

    async fn join(&self, request: Request<pb::JoinRequest>) -> Result<Response<pb::JoinReply>, Status> {
        answer(self.join_coordinator(request.into_inner()).await)
    }

    async fn remove_coordinator(
        &self,
        request: Request<pb::RemoveCoordinatorRequest>,
    ) -> Result<Response<pb::Operation>, Status> {
        answer(self.remove_a_coordinator(request).await)
    }

    async fn transfer_leadership(
        &self,
        request: Request<pb::TransferLeadershipRequest>,
    ) -> Result<Response<pb::TransferLeadershipReply>, Status> {
        answer(self.transfer(request).await)
    }

    async fn put_person(
        &self,
        request: Request<pb::PutPersonRequest>,
    ) -> Result<Response<pb::Operation>, Status> {
        answer(self.put_a_person(request).await)
    }

    async fn remove_person(
        &self,
        request: Request<pb::RemovePersonRequest>,
    ) -> Result<Response<pb::Operation>, Status> {
        answer(self.remove_a_person(request).await)
    }

    async fn list_people(
        &self,
        _request: Request<pb::ListPeopleRequest>,
    ) -> Result<Response<pb::ListPeopleReply>, Status> {
        answer(self.list_all_people().await)
    }

    async fn issue_certificate(
        &self,
        request: Request<pb::IssueCertificateRequest>,
    ) -> Result<Response<pb::IssueCertificateReply>, Status> {
        answer(self.issue_to_person(request).await)
    }

    async fn version(
        &self,
        _request: Request<pb::VersionRequest>,
    ) -> Result<Response<pb::VersionReply>, Status> {
        Ok(Response::new(pb::VersionReply { version: env!("CARGO_PKG_VERSION").to_owned() }))
    }
}
