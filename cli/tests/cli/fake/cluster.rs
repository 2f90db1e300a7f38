//! The cluster and its people.

use skep_proto::v1::cluster_server::Cluster;
use skep_proto::v1::{
    ClusterStatus, CreateJoinTokenReply, CreateJoinTokenRequest, IssueCertificateReply,
    IssueCertificateRequest, JoinReply, JoinRequest, ListPeopleReply, ListPeopleRequest, Operation,
    PutPersonRequest, RemoveCoordinatorRequest, RemovePersonRequest, StatusRequest, TransferLeadershipReply,
    TransferLeadershipRequest, VersionReply, VersionRequest,
};
use tonic::{Request, Response, Status};

use super::Fake;

#[tonic::async_trait]
impl Cluster for Fake {
    async fn status(&self, request: Request<StatusRequest>) -> Result<Response<ClusterStatus>, Status> {
        self.heard("Cluster/Status", request)?;
        Ok(Response::new(self.world().status.clone()))
    }

    async fn create_join_token(
        &self,
        request: Request<CreateJoinTokenRequest>,
    ) -> Result<Response<CreateJoinTokenReply>, Status> {
        self.heard("Cluster/CreateJoinToken", request)?;
        let world = self.world();
        Ok(Response::new(CreateJoinTokenReply {
            operation: Some(world.answer.clone()),
            token: world.token.clone(),
        }))
    }

    async fn join(&self, request: Request<JoinRequest>) -> Result<Response<JoinReply>, Status> {
        self.heard("Cluster/Join", request)?;
        Err(Status::unimplemented("people do not join"))
    }

    async fn remove_coordinator(
        &self,
        request: Request<RemoveCoordinatorRequest>,
    ) -> Result<Response<Operation>, Status> {
        self.heard("Cluster/RemoveCoordinator", request)?;
        Ok(Response::new(self.world().answer.clone()))
    }

    async fn transfer_leadership(
        &self,
        request: Request<TransferLeadershipRequest>,
    ) -> Result<Response<TransferLeadershipReply>, Status> {
        let leader = self.heard("Cluster/TransferLeadership", request)?.coordinator;
        Ok(Response::new(TransferLeadershipReply { leader }))
    }

    async fn put_person(&self, request: Request<PutPersonRequest>) -> Result<Response<Operation>, Status> {
        self.heard("Cluster/PutPerson", request)?;
        Ok(Response::new(self.world().answer.clone()))
    }

    async fn remove_person(
        &self,
        request: Request<RemovePersonRequest>,
    ) -> Result<Response<Operation>, Status> {
        self.heard("Cluster/RemovePerson", request)?;
        Ok(Response::new(self.world().answer.clone()))
    }

    async fn list_people(
        &self,
        request: Request<ListPeopleRequest>,
    ) -> Result<Response<ListPeopleReply>, Status> {
        self.heard("Cluster/ListPeople", request)?;
        Ok(Response::new(ListPeopleReply { people: self.world().people.clone() }))
    }

    async fn issue_certificate(
        &self,
        request: Request<IssueCertificateRequest>,
    ) -> Result<Response<IssueCertificateReply>, Status> {
        let request = self.heard("Cluster/IssueCertificate", request)?;
        let world = self.world();
        let issuer = world.issuer.as_ref().ok_or_else(|| Status::internal("no issuer"))?;
        Ok(Response::new(IssueCertificateReply {
            certificate: issuer.certify(&request.signing_request, 0, 3_600),
            control_ca: issuer.root_pem(),
            renew_after_ms: 1_800_000,
            expires_in_ms: 3_600_000,
        }))
    }

    async fn version(&self, request: Request<VersionRequest>) -> Result<Response<VersionReply>, Status> {
        self.heard("Cluster/Version", request)?;
        Ok(Response::new(VersionReply { version: "0.1.0".into() }))
    }
}
