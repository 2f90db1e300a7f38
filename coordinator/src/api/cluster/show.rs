//! How the cluster is: what the log says of its coordinators, with what raft and their beats say.

use skep_core::state::Coordinator;
use skep_proto::v1 as pb;
use skep_types::{CoordinatorId, Refusal};

use crate::api::Api;
use crate::api::convert::cluster::phases;
use crate::raft::RaftStatus;

impl Api {
    pub(super) async fn cluster_status(&self) -> Result<pb::ClusterStatus, Refusal> {
        // Answered also while nobody leads: that is when people ask.
        let state = self.context.raft.state();
        let raft = self.context.raft.status();
        let leader = raft.leadership.leader;
        let running = state.operations.values().filter(|operation| !operation.state.finished()).count();
        Ok(pb::ClusterStatus {
            cluster: self.context.cluster.to_string(),
            epoch: state.epoch,
            coordinator: self.context.id.to_string(),
            leader: leader.map(|id| id.to_string()).unwrap_or_default(),
            term: raft.leadership.term,
            coordinators: state.coordinators.values().map(|record| self.coordinator(record, &raft)).collect(),
            hosts: count(state.hosts.len()),
            phases: phases(&state),
            swarms: count(state.swarms.len()),
            running_operations: count(running),
            revision: state.now_revision().to_string(),
            log_last: raft.last_index,
            log_first: raft.purged_index + 1,
            log_snapshot: raft.snapshot_index,
        })
    }

    fn coordinator(&self, record: &Coordinator, raft: &RaftStatus) -> pb::Coordinator {
        let (alive, agents) = self.view.sighting(record.id);
        let leader = raft.leadership.leader == Some(record.id);
        pb::Coordinator {
            id: record.id.to_string(),
            address: record.address.clone(),
            raft_address: record.raft_address.clone(),
            membership: membership(record, raft).to_owned(),
            leader,
            agents,
            // What is plain to see here needs no beat.
            alive: alive || leader || record.id == self.context.id,
            drivers: record.drivers.iter().map(ToString::to_string).collect(),
            version: record.version.clone(),
        }
    }
}

fn membership(record: &Coordinator, raft: &RaftStatus) -> &'static str {
    let voter = |id: CoordinatorId| raft.members.iter().any(|member| member.id == id && member.voter);
    match (record.removed, voter(record.id)) {
        (true, _) => "removed",
        (false, true) => "voter",
        (false, false) => "learner",
    }
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
