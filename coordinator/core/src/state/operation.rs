//! The operation record: counters, never a list.

use skep_types::{
    ClusterTime, Digest, OnFailure, OperationId, OperationKind, OperationState, PersonName, RequestId,
    Revision, SwarmId, Verdict,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    pub id: OperationId,
    pub revision: Revision,
    pub kind: OperationKind,
    pub request_id: RequestId,
    pub body: Digest,
    pub actor: PersonName,
    /// The host's or swarm's name, or a prefix.
    pub subject: String,
    pub swarm: Option<SwarmId>,
    pub created_at: ClusterTime,
    pub finished_at: Option<ClusterTime>,
    pub state: OperationState,
    pub verdict: Verdict,
    /// Only for creates.
    pub rule: Option<CreateRule>,
    pub items: u32,
    pub done: u32,
    pub failed: u32,
    /// Instances bound so far; what the verdict counts.
    pub bound: u32,
    pub managers_bound: u32,
    /// Grouped by reason, bounded by [`Operation::FAILURE_GROUPS`].
    pub failures: Vec<FailureGroup>,
}

/// What a create counts as success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreateRule {
    /// Instances that have to be bound for the verdict Committed.
    pub needed: u32,
    /// All of them, for a swarm.
    pub managers: u32,
    /// Failures before the verdict that abort it; None for no such bound.
    pub max_failures: Option<u32>,
    pub on_failure: OnFailure,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureGroup {
    pub reason: String,
    pub count: u32,
    /// One of the hosts' names.
    pub example: String,
}

impl Operation {
    /// Reasons kept apart; further ones are counted under "other".
    pub const FAILURE_GROUPS: usize = 16;

    pub fn settled(&self) -> bool {
        self.done + self.failed >= self.items
    }
}
