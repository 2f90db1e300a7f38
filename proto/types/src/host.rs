//! A host's shape and the places of its life.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::IntentId;
use crate::names::{AccountName, DriverName};

/// The shape of hosts. Immutable once committed: another shape is another template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    pub driver: DriverName,
    pub account: AccountName,
    /// The driver's flags without leading dashes, such as `local-memory` → `1g`. Checked by the driver before the
    /// request is committed.
    pub options: BTreeMap<String, String>,
    /// Labels of the host, carried over to its swarm node.
    pub labels: BTreeMap<String, String>,
}

/// Where a host is in its life. What is true *beside* that (is the agent connected?) is a condition, not a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Accepted; no effect is possible yet.
    Pending,
    /// In an Open intent; an instance may exist.
    Provisioning {
        intent: IntentId,
    },
    /// The instance exists; its agent has not enrolled.
    Booting,
    /// The agent brings the engine.
    Installing,
    /// Swarm init or join, under permit and gate.
    Joining,
    Ready,
    /// Engine or options change. Reserved: no planner leads here yet.
    Maintaining {
        step: u32,
    },
    Stopping {
        intent: IntentId,
    },
    Stopped,
    /// Started or restarted; `intent` is None once the driver has done its part and the agent is awaited.
    Starting {
        intent: Option<IntentId>,
    },
    /// Still a manager, on its way out.
    Demoting,
    /// Leaving the swarm, and its node being removed.
    Leaving,
    /// The instance is being destroyed by its provider id; `intent` is None until the call is planned.
    Deleting {
        intent: Option<IntentId>,
    },
    Failed {
        class: FailureClass,
        message: String,
    },
    /// Ambiguous: touched only on a person's word.
    Quarantined {
        reason: String,
    },
}

impl Phase {
    /// The name people see, in the CLI, the API, metrics and logs.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Provisioning { .. } => "Provisioning",
            Self::Booting => "Booting",
            Self::Installing => "Installing",
            Self::Joining => "Joining",
            Self::Ready => "Ready",
            Self::Maintaining { .. } => "Maintaining",
            Self::Stopping { .. } => "Stopping",
            Self::Stopped => "Stopped",
            Self::Starting { .. } => "Starting",
            Self::Demoting => "Demoting",
            Self::Leaving => "Leaving",
            Self::Deleting { .. } => "Deleting",
            Self::Failed { .. } => "Failed",
            Self::Quarantined { .. } => "Quarantined",
        }
    }
}

/// At which step a host failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FailureClass {
    /// The driver refused the template, or ran out of capacity, quota or credentials.
    Create,
    Boot,
    Install,
    Join,
    Power,
    /// The operation it was made for did not reach its minimum.
    Aborted,
}

impl FailureClass {
    pub fn label(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Boot => "boot",
            Self::Install => "install",
            Self::Join => "join",
            Self::Power => "power",
            Self::Aborted => "aborted",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConditionKind {
    InstanceReady,
    AgentConnected,
    EngineReady,
    NodeReady,
    Healthy,
    UpToDate,
}

impl ConditionKind {
    pub const ALL: [Self; 6] = [
        Self::InstanceReady,
        Self::AgentConnected,
        Self::EngineReady,
        Self::NodeReady,
        Self::Healthy,
        Self::UpToDate,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Self::InstanceReady => "InstanceReady",
            Self::AgentConnected => "AgentConnected",
            Self::EngineReady => "EngineReady",
            Self::NodeReady => "NodeReady",
            Self::Healthy => "Healthy",
            Self::UpToDate => "UpToDate",
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ConditionStatus {
    #[default]
    Unknown,
    True,
    False,
}

/// One thing that holds, or does not, beside the phase.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    pub status: ConditionStatus,
    /// A CamelCase word for programs; empty while nothing is known.
    pub reason: String,
    /// A sentence for people; may be empty.
    pub message: String,
    /// When the status changed last.
    pub since: crate::time::ClusterTime,
}
