//! What the log carries: commands in families, each with the guard it was decided on, and what became of them.

mod agent;
mod member;
mod outcome;
mod plan;
mod request;

use skep_types::{ClusterTime, CoordinatorId, HostId, HostName, OperationId, Refusal};

pub use agent::{AgentCommand, NodeListing, Observation, Observed, PermitResult};
pub use member::{Founding, MemberCommand};
pub use outcome::{Addresses, Failure, FailureKind, OutcomeCommand, Placement, Shortfall};
pub use plan::{Advance, Guard, NewIntent, NewSlot, PlanCommand, idempotency_token};
pub use request::{AddAccount, CreateHosts, CreateSwarm, Request, RequestCommand, RequestMeta, Share};

/// One log entry: what several callers proposed at about the same time, applied in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The leader's cluster time when it was proposed. Never lets the replicated time go back.
    pub time: ClusterTime,
    pub commands: Vec<Command>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// From people.
    Request(RequestCommand),
    /// From the leader's planners.
    Plan(PlanCommand),
    /// From the owners of accounts: what drivers did.
    Outcome(OutcomeCommand),
    /// From agents, through the coordinator that holds their stream.
    Agent(AgentCommand),
    /// From and about coordinators.
    Member(MemberCommand),
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Done,
    /// Nothing changed, and nothing had to: a stale guard, a repetition. Says why.
    Unchanged(String),
    /// A mutation was accepted, now or when it came first.
    Accepted(OperationId),
    Enrolled {
        host: HostId,
        name: HostName,
        incarnation: u32,
    },
    Joined(CoordinatorId),
    /// Nothing changed: the caller has to mend something.
    Refused(Refusal),
}
