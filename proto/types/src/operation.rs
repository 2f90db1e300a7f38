//! Requests that take long, and what callers choose about their failures.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OperationKind {
    CreateHosts,
    DeleteHosts,
    PowerHosts,
    CreateSwarm,
    DeleteSwarm,
    /// A change of the cluster itself (people, join tokens); done when committed.
    Administer,
}

impl OperationKind {
    /// Whether its items are hosts that it makes.
    pub fn creates(self) -> bool {
        matches!(self, Self::CreateHosts | Self::CreateSwarm)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::CreateHosts => "create-hosts",
            Self::DeleteHosts => "delete-hosts",
            Self::PowerHosts => "power-hosts",
            Self::CreateSwarm => "create-swarm",
            Self::DeleteSwarm => "delete-swarm",
            Self::Administer => "administer",
        }
    }
}

/// What a bulk create counts as success.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Policy {
    /// At rest `count` hosts or none.
    AllOrNothing,
    /// At rest at least `min_count` hosts or none.
    #[default]
    BestEffort,
}

/// What becomes of a host that failed in a create.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OnFailure {
    #[default]
    Keep,
    Delete,
}

/// Sticky: once Committed or Aborted it never changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Verdict {
    #[default]
    Undecided,
    /// Enough instances are bound; hosts may join swarms.
    Committed,
    /// All items are desired absent.
    Aborted,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OperationState {
    #[default]
    Running,
    Succeeded,
    /// Finished, with some items failed but the policy met.
    PartlyFailed,
    Failed,
}

impl OperationState {
    pub fn finished(self) -> bool {
        self != Self::Running
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::PartlyFailed => "PartlyFailed",
            Self::Failed => "Failed",
        }
    }
}
