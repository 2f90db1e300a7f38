//! What the leader's planners propose. Every one names what it was decided on, so a late or repeated one is a no-op.

use std::sync::Arc;
use std::time::Duration;

use skep_types::{
    AccountName, CoordinatorId, Digest, FailureClass, HostId, IntentId, PowerAction, Revision, SwarmId,
    Template,
};

use crate::state::{Shard, Task};

/// The host as the planner saw it. A host's phase is part of its revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    pub host: HostId,
    pub revision: Revision,
}

#[derive(Debug, Clone, PartialEq)]
pub enum PlanCommand {
    /// All guards hold, or nothing is opened.
    OpenIntent {
        guards: Vec<Guard>,
        account: AccountName,
        shard: Shard,
        intent: NewIntent,
    },
    Advance {
        guard: Guard,
        to: Advance,
        reason: String,
    },
    Grant {
        guard: Guard,
        task: Task,
    },
    /// Only of an idempotent task.
    Revoke {
        guard: Guard,
    },
    /// Guarded by the epoch it replaces.
    AssignOwner {
        account: AccountName,
        shard: Shard,
        epoch: u64,
        coordinator: CoordinatorId,
        process: u64,
        /// For how long the owner before had certainly made no call, if that is known.
        idle: Option<Duration>,
    },
    /// The agent was not heard of, by anybody, for its grace. Guarded by the session that was lost.
    Disconnect {
        host: HostId,
        session_number: u64,
    },
    /// A coordinator that was asked to leave has left the raft group.
    ForgetCoordinator {
        coordinator: CoordinatorId,
    },
    /// A swarm whose hosts are all gone.
    ForgetSwarm {
        swarm: SwarmId,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum NewIntent {
    /// One slot per guard, in their order.
    Create {
        template: Arc<Template>,
        slots: Vec<NewSlot>,
        sealed_bootstrap: Vec<u8>,
    },
    Power {
        action: PowerAction,
    },
    Destroy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewSlot {
    /// Digest of the enrolment token frozen into the slot's user-data.
    pub token: Digest,
}

/// Where a planner may move a host by itself. The other moves are the outcome of an intent, a permit or a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advance {
    Joining,
    Ready,
    Stopped,
    Demoting,
    Leaving,
    Deleting,
    /// Nothing of it exists: the record goes.
    Deleted,
    Failed {
        class: FailureClass,
        message: String,
    },
    Quarantined,
}

impl PlanCommand {
    /// The command's name, for logs and metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::OpenIntent { .. } => "OpenIntent",
            Self::Advance { .. } => "Advance",
            Self::Grant { .. } => "Grant",
            Self::Revoke { .. } => "Revoke",
            Self::AssignOwner { .. } => "AssignOwner",
            Self::Disconnect { .. } => "Disconnect",
            Self::ForgetCoordinator { .. } => "ForgetCoordinator",
            Self::ForgetSwarm { .. } => "ForgetSwarm",
        }
    }
}

/// The token an intent's driver calls carry: unique by the intent's id, which `apply` allocates.
pub fn idempotency_token(cluster: &str, intent: IntentId) -> String {
    let cluster: String = cluster.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
    format!("{cluster}-{intent}")
}
