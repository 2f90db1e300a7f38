//! First contact, and every certificate after it.

mod evidence;
mod waiting;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use skep_core::command::{AgentCommand, Command, Reply};
use skep_core::state::Host;
use skep_core::{Claim, State};
use skep_proto::agent::enrolment_server::Enrolment;
use skep_proto::agent::{EnrolRequest, Identity, RenewRequest};
use skep_tls::{PublicKey, public_key_of_request, wall_now};
use skep_types::{Code, Digest, HostId, ProviderId, Refusal};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use super::Registry;
use crate::api::PeerCertificates;
use crate::api::status::status;
use crate::context::Context;
use crate::trust::{Caller, Token};
pub(super) use waiting::Waiting;

/// How long an agent is kept waiting for its instance to be bound: a little less than the 5 s it gives a call.
const BIND: Duration = Duration::from_secs(4);

/// Evidence that drivers judge at once, also for calls whose agents have given up. A driver that takes a minute to open is
/// asked no more often than this by however many agents come again meanwhile.
const JUDGED_AT_ONCE: usize = 64;

#[derive(Debug)]
pub struct EnrolmentService {
    context: Context,
    registry: Arc<Registry>,
    judging: Arc<Semaphore>,
}

impl EnrolmentService {
    pub fn new(context: Context, registry: Arc<Registry>) -> Self {
        Self { context, registry, judging: Arc::new(Semaphore::new(JUDGED_AT_ONCE)) }
    }

    /// The first instances of a call run long before its driver has answered for the last one. Their agents wait here:
    /// sent away, each would come back many times, with a handshake and an entry of the log for each.
    async fn until_bound(&self, token: Digest, claim: Claim<'_>, end: Instant) -> Result<(), Status> {
        // Of several that share the token, any stands for all: they are bound together.
        let Some(host) = self.context.raft.state().admits(token).next().map(|host| host.id) else {
            // Not known here yet, or nowhere: the leader says.
            return Ok(());
        };
        let mut waiter = self.registry.enrolling.subscribe(host);
        let bound = async {
            while unbound(&self.context.raft.state(), token, claim) {
                if !waiter.changed().await {
                    return false;
                }
            }
            true
        };
        match tokio::time::timeout_at(end, bound).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(status(&not_bound(host))),
        }
    }

    async fn admit(
        &self,
        token: Digest,
        key: Digest,
        peer: IpAddr,
        instance: Option<ProviderId>,
    ) -> Result<HostId, Status> {
        let command = Command::Agent(AgentCommand::Enrol { token, key, peer, instance });
        let replies =
            self.context.raft.propose(vec![command]).await.map_err(|error| status(&error.into()))?;
        match replies.into_iter().next() {
            Some(Reply::Enrolled { host, .. }) => Ok(host),
            Some(Reply::Refused(refusal)) => Err(status(&refusal)),
            _ => Err(Status::internal("an enrolment had no answer")),
        }
    }

    fn live(&self, id: HostId) -> Result<Arc<Host>, Status> {
        let gone = || Refusal::new(Code::Forbidden, format!("host {id} is deleted"));
        self.context.raft.state().host(id).cloned().ok_or_else(|| status(&gone()))
    }

    /// Names and addresses come from the record, never from the request.
    fn certify(&self, host: &Host, key: &PublicKey) -> Result<Identity, Status> {
        let issuers = &self.context.trust.issuers;
        let now = wall_now();
        let addresses = addresses(host);
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
            addresses: addresses.iter().map(IpAddr::to_string).collect(),
            renew_after_ms: u64::try_from(renew_after.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

#[tonic::async_trait]
impl Enrolment for EnrolmentService {
    async fn enrol(&self, request: Request<EnrolRequest>) -> Result<Response<Identity>, Status> {
        let end = Instant::now() + BIND;
        let peer = request.extensions().get::<PeerCertificates>().map(|peer| peer.address.ip());
        let peer = peer.ok_or_else(|| Status::internal("the listener did not say who is calling"))?;
        let request = request.into_inner();
        let key = public_key(&request.signing_request)?;
        let token: Token = request.token.parse().map_err(|error| status(&Refusal::field("token", error)))?;
        let proven =
            self.proven(token.digest(), &request.evidence, end).await.map_err(|error| status(&error))?;
        self.until_bound(token.digest(), Claim::new(proven.as_ref(), peer), end).await?;
        let id = self.admit(token.digest(), key.digest(), peer, proven).await?;
        let host = self.live(id)?;
        if host.address().is_none() {
            // Its certificate would have no address.
            return Err(status(&not_bound(id)));
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

/// That its certificates name.
pub(super) fn addresses(host: &Host) -> Vec<IpAddr> {
    let both = host.instance.iter().flat_map(|bound| [bound.private_address, bound.public_address]);
    both.flatten().collect()
}

/// Whether a host that the token admits has no instance yet, and none of them is the caller.
fn unbound(state: &State, token: Digest, claim: Claim<'_>) -> bool {
    state.admits(token).any(|host| host.address().is_none())
        && !state.admits(token).any(|host| claim.fits(host))
}

fn not_bound(host: HostId) -> Refusal {
    Refusal::new(Code::Unavailable, format!("host {host} is not bound to its instance yet; try again"))
}

fn public_key(signing_request: &[u8]) -> Result<PublicKey, Status> {
    public_key_of_request(signing_request).map_err(|error| status(&Refusal::field("signing_request", error)))
}
