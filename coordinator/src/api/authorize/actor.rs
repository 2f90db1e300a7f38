//! The person behind a call.

use std::net::SocketAddr;

use skep_core::State;
use skep_types::{Code, PersonName, PersonRole, Refusal};
use tonic::Request;

use crate::trust::{Caller, access};

/// A person that was admitted to one method; handlers take it from the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub name: PersonName,
    /// Of the certificate the call came with.
    pub generation: u64,
    pub peer: SocketAddr,
    /// Of the HTTP request: `/package.Service/Method`.
    path: String,
}

impl Actor {
    pub(in crate::api) fn new(caller: &Caller, path: &str, peer: SocketAddr) -> Option<Self> {
        let Caller::Person { name, generation } = caller else {
            return None;
        };
        Some(Self { name: name.clone(), generation: *generation, peer, path: path.to_owned() })
    }

    /// The one the layer admitted.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Refusal> {
        let missing = || Refusal::new(Code::Internal, "nobody looked who is calling");
        request.extensions().get::<Self>().cloned().ok_or_else(missing)
    }

    /// `SERVICE/METHOD`, as the audit trail names it.
    pub fn method(&self) -> &str {
        self.path.rsplit_once('.').map_or(self.path.as_str(), |(_, method)| method)
    }

    /// Asked again by whatever goes on for long: the person may have been dismissed meanwhile.
    pub fn still_admitted(&self, state: &State) -> Result<(), Refusal> {
        let role = role_of(state, &self.name, self.generation);
        let caller = Caller::Person { name: self.name.clone(), generation: self.generation };
        match access(&self.path) {
            Some(access) => access.check(&caller, role),
            None => Err(Refusal::new(Code::Forbidden, format!("{} is open to nobody here", self.path))),
        }
    }

    /// The role the person has now; None if it is dismissed.
    pub fn role(&self, state: &State) -> Option<PersonRole> {
        role_of(state, &self.name, self.generation)
    }
}

/// None for a person that is unknown, was removed, or whose certificates of this generation were dismissed.
pub(super) fn role_of(state: &State, name: &PersonName, generation: u64) -> Option<PersonRole> {
    let person = state.people.get(name)?;
    (person.certificate_generation <= generation).then_some(person.role)
}
