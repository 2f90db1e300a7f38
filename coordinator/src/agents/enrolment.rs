//! First contact, and every certificate after it.

use std::net::IpAddr;

use skep_core::command::{AgentCommand, Command, Reply};
use skep_core::state::Host;
use skep_proto::agent::enrolment_server::Enrolment;
use skep_proto::agent::{EnrolRequest, Identity, RenewRequest};
use skep_tls::{PublicKey, public_key_of_request, wall_now};
use skep_types::{Code, Digest, HostId, Refusal};
use tonic::{Request, Response, Status};

use crate::api::PeerCertificates;
use crate::api::status::status;
use crate::context::Context;
use crate::trust::{Caller, Token};

#[derive(Debug)]
pub struct EnrolmentService {
    context: Context,
}

impl EnrolmentService {
    pub fn new(context: Context) -> Self {
        Self { context }
    }

    async fn admit(&self, token: Digest, key: Digest, peer: IpAddr) -> Result<HostId, Status> {
        let command = Command::Agent(AgentCommand::Enrol { token, key, peer });
        let replies =
            self.context.raft.propose(vec![command]).await.map_err(|error| status(&error.into()))?;
        match replies.into_iter().next() {
            Some(Reply::Enrolled { host, .. }) => Ok(host),
            Some(Reply::Refused(refusal)) => Err(status(&refusal)),
            _ => Err(Status::internal("an enrolment had no answer")),
        }
    }

    fn live(&self, id: HostId) -> Result<std::sync::Arc<Host>, Status> {
        let gone = || Refusal::new(Code::Forbidden, format!("host {id} is deleted"));
        self.context.raft.state().host(id).cloned().ok_or_else(|| status(&gone()))
    }

    /// Names and addresses come from the record, never from the request.
    fn certify(&self, host: &Host, key: &PublicKey) -> Result<Identity, Status> {
        let issuers = &self.context.trust.issuers;
        let now = wall_now();
        let addresses: Vec<IpAddr> = host
            .instance
            .iter()
            .flat_map(|instance| [instance.private_address, instance.public_address])
            .flatten()
            .collect();
        let failed = |error: crate::trust::TrustError| Status::internal(error.to_string());
        let agent = issuers.agent(host.id, host.incarnation, key, now).map_err(failed)?;
        let door = issuers.docker_door(&host.name, &addresses, key, now).map_err(failed)?;
        let renew_after = agent.leaf.renew_after(now);
        Ok(Identity {
            host_id: host.id.to_string(),
            certificate: agent.pem(),
            docker_certificate: door.pem(),
            docker_client_ca: issuers.docker.root_pem(),
            docker_denied_serials: Vec::new(),
            renew_after_ms: u64::try_from(renew_after.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

#[tonic::async_trait]
impl Enrolment for EnrolmentService {
    async fn enrol(&self, request: Request<EnrolRequest>) -> Result<Response<Identity>, Status> {
        let peer = request.extensions().get::<PeerCertificates>().map(|peer| peer.address.ip());
        let peer = peer.ok_or_else(|| Status::internal("the listener did not say who is calling"))?;
        let request = request.into_inner();
        let key = public_key(&request.signing_request)?;
        let token: Token = request.token.parse().map_err(|error| status(&Refusal::field("token", error)))?;
        let id = self.admit(token.digest(), key.digest(), peer).await?;
        let host = self.live(id)?;
        if host.address().is_none() {
            // Faster than its driver's answer: its certificate would have no address.
            let message = format!("host {id} is not bound to its instance yet; try again");
            return Err(status(&Refusal::new(Code::Unavailable, message)));
        }
        tracing::info!(host = %id, "enrolled");
        Ok(Response::new(self.certify(&host, &key)?))
    }

    async fn renew(&self, request: Request<RenewRequest>) -> Result<Response<Identity>, Status> {
        let Some(Caller::Host { id, incarnation, key: known, .. }) =
            request.extensions().get::<Caller>().cloned()
        else {
            return Err(status(&Refusal::new(Code::Forbidden, "only an agent renews its certificate here")));
        };
        let key = public_key(&request.get_ref().signing_request)?;
        // Deleted hosts must not be brought back by a follower that has not heard yet.
        self.context.raft.read().await.map_err(|error| status(&error.into()))?;
        let host = self.live(id)?;
        let enrolled = host.enrolment.and_then(|enrolment| enrolment.key);
        if host.incarnation != incarnation || enrolled != Some(known) || key.digest() != known {
            let message = "this certificate's key is not, or no longer, the host's";
            return Err(status(&Refusal::new(Code::Forbidden, message)));
        }
        Ok(Response::new(self.certify(&host, &key)?))
    }
}

fn public_key(signing_request: &[u8]) -> Result<PublicKey, Status> {
    public_key_of_request(signing_request).map_err(|error| status(&Refusal::field("signing_request", error)))
}
