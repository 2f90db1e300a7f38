//! One more coordinator: a one-time token for it, and what it gets for the token.

use skep_core::command::{MemberCommand, Request as Asked};
use skep_core::{Command, Reply};
use skep_proto::v1 as pb;
use skep_tls::wall_now;
use skep_types::{Code, CoordinatorId, Refusal};
use tonic::Request;

use crate::api::convert::mutation::body_digest;
use crate::api::convert::requests::{self, Joining};
use crate::api::mutate::Begun;
use crate::api::status::internal;
use crate::api::{Actor, Api};
use crate::found::host_of;
use crate::trust::{JoinToken, Token, TrustError};

impl Api {
    pub(super) async fn create_token(
        &self,
        request: Request<pb::CreateJoinTokenRequest>,
    ) -> Result<pb::CreateJoinTokenReply, Refusal> {
        let actor = Actor::of(&request)?;
        let mut request = request.into_inner();
        let mutation = request.mutation.take();
        let life = requests::join_token_life(request.life_ms)?;
        let call = match self.begin(&actor, mutation, body_digest(actor.method(), &request)).await? {
            Begun::Repeated(operation) => {
                return Ok(pb::CreateJoinTokenReply { operation: Some(*operation), token: String::new() });
            }
            Begun::Fresh(call) => call,
        };
        let secret = Token::generate().map_err(|error| internal("no token can be made", &error))?;
        let token = secret.digest();
        let expires_at = self.context.raft.now().after(life);
        let operation = self.carry_out(*call, Asked::CreateJoinToken { token, expires_at }).await?;
        // Two calls with one request id may both have come here: only one token is in the log.
        let kept = self.context.raft.state().join_tokens.contains_key(&token);
        let root = self.context.trust.issuers.control.root_digest();
        let text = kept.then(|| JoinToken { root, secret }.text().reveal().to_owned());
        Ok(pb::CreateJoinTokenReply { operation: Some(operation), token: text.unwrap_or_default() })
    }

    /// The token is the only right the caller shows. Its keys get the same answer again.
    pub(super) async fn join_coordinator(&self, request: pb::JoinRequest) -> Result<pb::JoinReply, Refusal> {
        let joining = requests::join(request)?;
        let command = Command::Member(MemberCommand::Redeem {
            token: joining.token.digest(),
            address: joining.address.clone(),
            raft_address: joining.raft_address.clone(),
            control_key: joining.control.digest(),
            raft_key: joining.raft.digest(),
        });
        let reply = Box::pin(self.context.raft.propose(vec![command])).await?.into_iter().next();
        let id = match reply {
            Some(Reply::Joined(id)) => id,
            Some(Reply::Refused(refusal)) => return Err(refusal),
            reply => {
                tracing::error!(?reply, "a join met a defect");
                return Err(Refusal::new(Code::Internal, "the token was answered with something else"));
            }
        };
        tracing::info!(coordinator = %id, address = joining.address, "coordinator joined");
        self.welcome(id, &joining).map_err(|error| internal("the certificates cannot be issued", &error))
    }

    fn welcome(&self, id: CoordinatorId, joining: &Joining) -> Result<pb::JoinReply, TrustError> {
        let trust = &self.context.trust;
        let now = wall_now();
        let reached_by = [host_of(&joining.address)];
        let control = trust.issuers.coordinator_control(id, &reached_by, &joining.control, now)?;
        let raft = trust.issuers.coordinator_raft(id, &joining.raft, now)?;
        let state = self.context.raft.state();
        let peers = state.coordinators.values().filter(|peer| !peer.removed && peer.id != id);
        Ok(pb::JoinReply {
            coordinator_id: id.0,
            cluster: self.context.cluster.to_string(),
            control_certificate: control.pem(),
            raft_certificate: raft.pem(),
            control_ca: trust.issuers.control.root_pem(),
            raft_ca: trust.issuers.raft.root_pem(),
            cluster_key: bytes::Bytes::copy_from_slice(trust.key.reveal()),
            raft_peers: peers.map(|peer| peer.raft_address.clone()).collect(),
        })
    }
}
