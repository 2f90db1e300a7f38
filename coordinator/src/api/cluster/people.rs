//! People come, change roles and go.

use skep_core::command::Request as Asked;
use skep_proto::v1 as pb;
use skep_types::Refusal;
use tonic::Request;

use crate::api::convert::mutation::body_digest;
use crate::api::convert::{cluster, requests};
use crate::api::mutate::Begun;
use crate::api::{Actor, Api};

impl Api {
    pub(super) async fn put_a_person(
        &self,
        request: Request<pb::PutPersonRequest>,
    ) -> Result<pb::Operation, Refusal> {
        let actor = Actor::of(&request)?;
        let mut request = request.into_inner();
        let mutation = request.mutation.take();
        let asked = requests::put_person(&request)?;
        match self.begin(&actor, mutation, body_digest(actor.method(), &request)).await? {
            Begun::Repeated(operation) => Ok(*operation),
            Begun::Fresh(call) => self.carry_out(*call, asked).await,
        }
    }

    pub(super) async fn remove_a_person(
        &self,
        request: Request<pb::RemovePersonRequest>,
    ) -> Result<pb::Operation, Refusal> {
        let actor = Actor::of(&request)?;
        let mut request = request.into_inner();
        let mutation = request.mutation.take();
        let name = request.name.parse().map_err(|error| Refusal::field("name", error))?;
        match self.begin(&actor, mutation, body_digest(actor.method(), &request)).await? {
            Begun::Repeated(operation) => Ok(*operation),
            Begun::Fresh(call) => self.carry_out(*call, Asked::RemovePerson { name }).await,
        }
    }

    pub(super) async fn list_all_people(&self) -> Result<pb::ListPeopleReply, Refusal> {
        let (state, _) = self.read().await?;
        Ok(pb::ListPeopleReply {
            people: state.people.values().map(|person| cluster::person(person)).collect(),
        })
    }
}
