//! openraft's types, with ours filled in. Nothing outside `raft/` names openraft.

use std::fmt;
use std::sync::Arc;

use openraft::alias::{EntryOf, LogIdOf, SnapshotMetaOf, SnapshotOf, StoredMembershipOf, VoteOf};
use skep_core::{Entry, Reply};

use super::snapshot::SnapshotFile;
use super::state_machine::StateMachine;

openraft::declare_raft_types!(
    pub(super) TypeConfig:
        D = Proposed,
        R = Applied,
        Node = Node,
);

pub(super) type Raft = openraft::Raft<TypeConfig, StateMachine>;
pub(super) type LogId = LogIdOf<TypeConfig>;
pub(super) type LogEntry = EntryOf<TypeConfig>;
pub(super) type Vote = VoteOf<TypeConfig>;
pub(super) type Membership = openraft::Membership<u64, Node>;
pub(super) type StoredMembership = StoredMembershipOf<TypeConfig>;
pub(super) type SnapshotMeta = SnapshotMetaOf<TypeConfig>;
pub(super) type Snapshot = SnapshotOf<TypeConfig, SnapshotFile>;

/// Where a coordinator is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// HOST:PORT of its raft listener.
    pub raft_address: String,
    /// HOST:PORT of its control port.
    pub address: String,
}

/// What the log carries. Shared: replication holds it once for every follower.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Proposed(pub(super) Arc<Entry>);

impl fmt::Display for Proposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} commands at {}", self.0.commands.len(), self.0.time)
    }
}

/// What became of an entry: one reply per command; none for entries of raft's own.
#[derive(Debug, Clone, Default)]
pub(super) struct Applied(pub(super) Vec<Reply>);
