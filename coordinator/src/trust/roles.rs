//! Which method is open to whom: one row for each method of the control port, and a test that none is missing.

use skep_types::{Code, PersonRole, Refusal};

use super::Caller;

use Access::{Agent, Anonymous, ExpiredAgent, Person};
use PersonRole::{Admin, Operator, Viewer};

/// Who may call a method at all. Handlers refuse more, by what the request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody who reaches the port: a token or nothing is asked for instead.
    Anonymous,
    /// A host's agent.
    Agent,
    /// A host's agent, also with a certificate that has expired.
    ExpiredAgent,
    /// A person of this role, or of one that includes it.
    Person(PersonRole),
}

/// Sorted by path.
const TABLE: &[(&str, Access)] = &[
    ("/grpc.health.v1.Health/Check", Anonymous),
    ("/grpc.health.v1.Health/Watch", Anonymous),
    ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Person(Viewer)),
    ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Person(Viewer)),
    ("/skep.agent.v1.Enrolment/Enrol", Anonymous),
    ("/skep.agent.v1.Enrolment/Renew", ExpiredAgent),
    ("/skep.agent.v1.Session/Open", Agent),
    ("/skep.v1.Cluster/CreateJoinToken", Person(Admin)),
    // For oneself; for another it takes an admin, which the handler asks.
    ("/skep.v1.Cluster/IssueCertificate", Person(Viewer)),
    ("/skep.v1.Cluster/Join", Anonymous),
    ("/skep.v1.Cluster/ListPeople", Person(Viewer)),
    ("/skep.v1.Cluster/PutPerson", Person(Admin)),
    ("/skep.v1.Cluster/RemoveCoordinator", Person(Admin)),
    ("/skep.v1.Cluster/RemovePerson", Person(Admin)),
    ("/skep.v1.Cluster/Status", Person(Viewer)),
    ("/skep.v1.Cluster/TransferLeadership", Person(Admin)),
    ("/skep.v1.Cluster/Version", Person(Viewer)),
    ("/skep.v1.Drivers/AddAccount", Person(Admin)),
    ("/skep.v1.Drivers/List", Person(Viewer)),
    ("/skep.v1.Drivers/ListAccounts", Person(Viewer)),
    ("/skep.v1.Drivers/RemoveAccount", Person(Admin)),
    ("/skep.v1.Drivers/RotateAccountCredentials", Person(Admin)),
    ("/skep.v1.Drivers/SetAccountLimits", Person(Admin)),
    // It changes nothing, but runs what the account's credentials come from.
    ("/skep.v1.Drivers/TestAccount", Person(Admin)),
    ("/skep.v1.Events/Audit", Person(Admin)),
    ("/skep.v1.Events/Watch", Person(Viewer)),
    ("/skep.v1.Hosts/Create", Person(Operator)),
    ("/skep.v1.Hosts/Delete", Person(Operator)),
    // Not for viewers: a splice to the engine's socket cannot be made read-only.
    ("/skep.v1.Hosts/DockerAccess", Person(Operator)),
    ("/skep.v1.Hosts/Explain", Person(Viewer)),
    ("/skep.v1.Hosts/Get", Person(Viewer)),
    ("/skep.v1.Hosts/List", Person(Viewer)),
    ("/skep.v1.Hosts/Power", Person(Operator)),
    ("/skep.v1.Operations/Get", Person(Viewer)),
    ("/skep.v1.Operations/List", Person(Viewer)),
    ("/skep.v1.Operations/Watch", Person(Viewer)),
    ("/skep.v1.Swarms/Create", Person(Operator)),
    ("/skep.v1.Swarms/Delete", Person(Operator)),
    ("/skep.v1.Swarms/Get", Person(Viewer)),
    ("/skep.v1.Swarms/List", Person(Viewer)),
];

/// The row of a method, by its path (`/package.Service/Method`). None: nobody may call it.
pub fn access(path: &str) -> Option<Access> {
    let row = TABLE.binary_search_by_key(&path, |(path, _)| path).ok()?;
    Some(TABLE[row].1)
}

impl Access {
    /// Whether this caller may call. `role` is what the state says of a person: None for one that is unknown, removed
    /// or of a dismissed generation.
    pub fn check(self, caller: &Caller, role: Option<PersonRole>) -> Result<(), Refusal> {
        match (self, caller) {
            (Anonymous, _) => Ok(()),
            (Agent, Caller::Host { expired: false, .. }) | (ExpiredAgent, Caller::Host { .. }) => Ok(()),
            (Agent, Caller::Host { .. }) => {
                Err(unauthenticated("the agent's certificate has expired; renew it"))
            }
            (Person(needed), Caller::Person { name, .. }) => match role {
                Some(role) if role.includes(needed) => Ok(()),
                Some(role) => Err(forbidden(format!(
                    "this takes the role {}; {name} is {}",
                    needed.label(),
                    role.label()
                ))),
                None => Err(unauthenticated(format!(
                    "{name} is not known here any more, or the certificate was dismissed"
                ))),
            },
            (_, Caller::Anonymous) => Err(unauthenticated("this takes a certificate, and you showed none")),
            (Person(_), _) => Err(forbidden("this is for people, and your certificate is none of a person")),
            (Agent | ExpiredAgent, _) => {
                Err(forbidden("this is for agents, and your certificate is none of a host"))
            }
        }
    }
}

fn unauthenticated(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::Unauthenticated, message)
}

fn forbidden(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::Forbidden, message)
}

#[cfg(test)]
mod tests;
