//! What a raft node says of itself, for metrics and `cluster status`.

use openraft::async_runtime::watch::WatchReceiver;
use skep_types::CoordinatorId;

use super::core::Core;
use super::leadership::Leadership;
use super::types::Node;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaftStatus {
    pub id: CoordinatorId,
    pub leadership: Leadership,
    pub last_index: u64,
    pub applied_index: u64,
    /// Of the newest snapshot; 0 for none.
    pub snapshot_index: u64,
    /// Entries up to here are no longer in the log.
    pub purged_index: u64,
    pub members: Vec<Member>,
    /// Why it no longer takes part, if so.
    pub failure: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub id: CoordinatorId,
    pub node: Node,
    pub voter: bool,
    /// The last entry the leader knows this member to have; only known on the leader.
    pub matched_index: Option<u64>,
}

impl Core {
    pub(super) fn status(&self) -> RaftStatus {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let index = |id: Option<super::types::LogId>| id.map_or(0, |id| id.index);
        let voters: Vec<u64> = metrics.membership_config.voter_ids().collect();
        let matched = |id: &u64| metrics.replication.as_ref().and_then(|all| all.get(id).copied().flatten());
        let members = metrics.membership_config.nodes().map(|(id, node)| Member {
            id: CoordinatorId(*id),
            node: node.clone(),
            voter: voters.contains(id),
            matched_index: matched(id).map(|id| id.index),
        });
        RaftStatus {
            id: self.config.id,
            leadership: *self.leadership.borrow(),
            last_index: metrics.last_log_index.unwrap_or(0),
            applied_index: index(metrics.last_applied),
            snapshot_index: index(metrics.snapshot),
            purged_index: index(metrics.purged),
            members: members.collect(),
            failure: metrics.running_state.as_ref().err().map(ToString::to_string),
        }
    }
}
