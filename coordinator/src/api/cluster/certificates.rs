//! Certificates of people: anybody renews the own one, an admin issues a first one to others.

use std::time::Duration;

use skep_core::State;
use skep_core::state::Person;
use skep_proto::v1 as pb;
use skep_tls::{public_key_of_request, wall_now};
use skep_types::{Code, PersonName, PersonRole, Refusal};
use tonic::Request;

use crate::api::status::internal;
use crate::api::{Actor, Api};

impl Api {
    pub(super) async fn issue_to_person(
        &self,
        request: Request<pb::IssueCertificateRequest>,
    ) -> Result<pb::IssueCertificateReply, Refusal> {
        let actor = Actor::of(&request)?;
        let request = request.into_inner();
        let key = public_key_of_request(&request.signing_request)
            .map_err(|error| Refusal::field("signing_request", error))?;
        let (state, _) = self.read().await?;
        let person = recipient(&state, &actor, &request.person)?;
        let issuers = &self.context.trust.issuers;
        let now = wall_now();
        let issued = issuers
            .person(&person.name, person.certificate_generation, &key, now)
            .map_err(|error| internal("the certificate cannot be issued", &error))?;
        tracing::info!(person = %person.name, by = %actor.name, serial = issued.leaf.serial, "certificate issued");
        Ok(pb::IssueCertificateReply {
            certificate: issued.pem(),
            control_ca: issuers.control.root_pem(),
            renew_after_ms: ms(issued.leaf.renew_after(now)),
            expires_in_ms: ms(issued.leaf.not_after.since(now)),
        })
    }
}

/// Checked on the newest state: a person that was dismissed a moment ago gets no new certificate.
fn recipient<'a>(state: &'a State, actor: &Actor, person: &str) -> Result<&'a Person, Refusal> {
    let dismissed = || Refusal::new(Code::Unauthenticated, format!("{} was dismissed", actor.name));
    let role = actor.role(state).ok_or_else(dismissed)?;
    let name: PersonName = match person {
        "" => actor.name.clone(),
        name => name.parse().map_err(|error| Refusal::field("person", error))?,
    };
    if name != actor.name && role != PersonRole::Admin {
        let message =
            format!("a certificate for {name} takes the role admin; {} is {}", actor.name, role.label());
        return Err(Refusal::new(Code::Forbidden, message));
    }
    let missing = || {
        Refusal::not_found(format!("person {name}"), "make it with `skep person put` first")
            .and("person", "is unknown")
    };
    state.people.get(&name).map(AsRef::as_ref).ok_or_else(missing)
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
