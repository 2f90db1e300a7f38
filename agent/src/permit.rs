//! A permit: what an assignment asks of this host, and what came of it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use skep_types::{PermitId, Secret};

use crate::engine::{Join, NodeChange};

/// What the host should be doing now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) permit: PermitId,
    /// W3C trace context; may be empty.
    pub(crate) traceparent: String,
    /// Err where it cannot be meant: said back as not done.
    pub(crate) work: Result<Work, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Work {
    Init { advertise: IpAddr },
    Join { join: Join, swarm_id: String },
    Leave { force: bool },
    UpdateNodes(Vec<NodeChange>),
    RemoveNodes { node_ids: Vec<String>, force: bool },
}

impl Work {
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Init { .. } => "init",
            Self::Join { .. } => "join",
            Self::Leave { .. } => "leave",
            Self::UpdateNodes(_) => "update nodes",
            Self::RemoveNodes { .. } => "remove nodes",
        }
    }

    /// Whether the state of this host's own node tells what came of it.
    pub(crate) fn concerns_own_node(&self) -> bool {
        match self {
            Self::Init { .. } | Self::Join { .. } | Self::Leave { .. } => true,
            Self::UpdateNodes(_) | Self::RemoveNodes { .. } => false,
        }
    }

    /// The Docker id of the swarm that it makes this host a part of.
    pub(crate) fn joining(&self) -> Option<&str> {
        match self {
            Self::Join { swarm_id, .. } => Some(swarm_id),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PermitOutcome {
    pub(crate) permit: PermitId,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Done(Done),
    /// Certainly not done, and not being done.
    NotDone {
        message: String,
    },
    /// Under way, or lost: told, but never the last word.
    InProgress {
        message: String,
    },
}

impl Outcome {
    pub(crate) fn not_done(message: impl Into<String>) -> Self {
        Self::NotDone { message: message.into() }
    }

    pub(crate) fn in_progress(message: impl Into<String>) -> Self {
        Self::InProgress { message: message.into() }
    }

    pub(crate) fn is_final(&self) -> bool {
        !matches!(self, Self::InProgress { .. })
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// After init and join: this host's node.
    pub(crate) node_id: String,
    /// After init and join: the swarm's Docker id.
    pub(crate) swarm_id: String,
    /// After init.
    #[serde(with = "worker_token")]
    pub(crate) worker_token: Option<Secret>,
}

/// The ledger (mode 0600, beside an engine that has the same token) keeps it in clear: after a restart the outcome
/// must be told again.
mod worker_token {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use skep_types::Secret;

    pub(super) fn serialize<S: Serializer>(token: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
        token.as_ref().map(Secret::reveal).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Secret>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
    }
}
