//! What a raft node is told at its start.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use openraft::SnapshotPolicy;
use skep_types::{ClusterId, CoordinatorId};

use super::beat::BeatHandler;
use super::checkpoint::Checkpoint;
use super::error::StartError;
use super::network::RaftTls;
use super::store::Disk;
use crate::clock::Clock;

/// Sending and installing one whole snapshot: gigabytes over a slow line.
const SNAPSHOT_TRANSFER: Duration = Duration::from_secs(15 * 60);

/// A learner this many entries behind is made a voter: from then on writes may have to wait for it.
const CAUGHT_UP: u64 = 100;

#[derive(Debug, Clone)]
pub struct RaftConfig {
    pub id: CoordinatorId,
    pub cluster: ClusterId,
    /// Log, floor record and snapshots.
    pub dir: PathBuf,
    pub heartbeat: Duration,
    /// An election starts after a random time between these without a heartbeat. Above the longest pause of a healthy
    /// network and disk, else leaders fall for nothing.
    pub election_min: Duration,
    pub election_max: Duration,
    /// Entries between two snapshots: what a restart replays at most.
    pub snapshot_every: u64,
    /// Entries kept behind a snapshot, for followers that are a little behind.
    pub keep_entries: u64,
    /// How long a proposal or a read looks for a leader that answers.
    pub patience: Duration,
}

impl RaftConfig {
    pub fn new(id: CoordinatorId, cluster: ClusterId, dir: PathBuf) -> Self {
        Self {
            id,
            cluster,
            dir,
            heartbeat: Duration::from_millis(100),
            election_min: Duration::from_millis(300),
            election_max: Duration::from_millis(600),
            snapshot_every: 10_000,
            keep_entries: 1_000,
            patience: Duration::from_secs(10),
        }
    }

    pub(super) fn openraft(&self) -> Result<Arc<openraft::Config>, StartError> {
        let config = openraft::Config {
            cluster_name: self.cluster.to_string(),
            heartbeat_interval: milliseconds(self.heartbeat),
            election_timeout_min: milliseconds(self.election_min),
            election_timeout_max: milliseconds(self.election_max),
            install_snapshot_timeout: milliseconds(SNAPSHOT_TRANSFER),
            snapshot_policy: SnapshotPolicy::LogsSinceLast(self.snapshot_every),
            max_in_snapshot_log_to_keep: self.keep_entries,
            replication_lag_threshold: CAUGHT_UP,
            // A coordinator that cannot win must not raise the term and unseat a healthy leader.
            enable_pre_vote: Some(true),
            // The state is in memory: after a restart it is only surely current once a new election's entry is applied.
            enable_leader_restore: Some(false),
            allow_log_reversion: Some(false),
            ..Default::default()
        };
        config.validate().map(Arc::new).map_err(|error| StartError::Config(error.to_string()))
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// What a raft node uses, and tests replace.
#[derive(Debug)]
pub struct RaftParts {
    /// The raft listener, bound.
    pub listener: std::net::TcpListener,
    pub tls: RaftTls,
    pub clock: Arc<dyn Clock>,
    pub disk: Arc<dyn Disk>,
    pub beats: Arc<dyn BeatHandler>,
    pub checkpoint: Arc<dyn Checkpoint>,
}
