//! Coordinators go, and leadership moves.

use skep_core::command::Request as Asked;
use skep_proto::v1 as pb;
use skep_types::Refusal;
use tonic::Request;

use crate::api::convert::mutation::body_digest;
use crate::api::convert::requests;
use crate::api::mutate::Begun;
use crate::api::{Actor, Api};

impl Api {
    pub(super) async fn remove_a_coordinator(
        &self,
        request: Request<pb::RemoveCoordinatorRequest>,
    ) -> Result<pb::Operation, Refusal> {
        let actor = Actor::of(&request)?;
        let mut request = request.into_inner();
        let mutation = request.mutation.take();
        let coordinator = requests::coordinator(&request.coordinator)?;
        match self.begin(&actor, mutation, body_digest(actor.method(), &request)).await? {
            Begun::Repeated(operation) => Ok(*operation),
            Begun::Fresh(call) => self.carry_out(*call, Asked::RemoveCoordinator { coordinator }).await,
        }
    }

    /// Through the leader, whichever coordinator was asked.
    pub(super) async fn transfer(
        &self,
        request: Request<pb::TransferLeadershipRequest>,
    ) -> Result<pb::TransferLeadershipReply, Refusal> {
        let actor = Actor::of(&request)?;
        let to = match request.get_ref().coordinator.as_str() {
            "" => None,
            text => Some(requests::coordinator(text)?),
        };
        let voters = self.context.raft.status().members.into_iter().filter(|member| member.voter);
        if to.is_some_and(|to| !voters.map(|voter| voter.id).any(|id| id == to)) {
            return Err(Refusal::field("coordinator", "is no voter; `skep cluster status` lists them"));
        }
        let leader = Box::pin(self.context.raft.move_leadership(to)).await?;
        tracing::info!(by = %actor.name, %leader, "leadership transferred");
        Ok(pb::TransferLeadershipReply { leader: leader.to_string() })
    }
}
