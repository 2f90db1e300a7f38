//! The log of a coordinator: where it lies, who may speak to it, and how it is told of the rest.

use std::sync::Arc;

use skep_tls::{ALPN_GRPC, ServerTls, ServerTrust, Swap, client_config};

use crate::clock::Clock;
use crate::layout::{Credential, Layout, LayoutError, Member};
use crate::raft::{BeatHandler, Checkpoint, FileDisk, RaftConfig, RaftParts, RaftTls};

/// What of the log is not in the coordinator's folder.
pub(crate) struct LogOptions {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tuning: Tuning,
    pub(crate) beats: Arc<dyn BeatHandler>,
    pub(crate) checkpoint: Arc<dyn Checkpoint>,
}

/// How often the state is written out, and how long the log is kept.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// Entries between two snapshots.
    pub snapshot_every: u64,
}

/// What the log needs to start: its configuration, its parts, and the handle its certificate is swapped by.
pub(crate) fn log_of(
    layout: &Layout,
    member: &Member,
    credential: &Credential,
    listener: std::net::TcpListener,
    options: LogOptions,
) -> Result<(RaftConfig, RaftParts, Swap), LayoutError> {
    let swap = Swap::new(credential.certified.clone());
    let tls = RaftTls {
        server: ServerTls::new(&credential.root_pem, &swap, ALPN_GRPC).build()?,
        client: client_config(ServerTrust::Roots(&credential.root_pem), &swap, ALPN_GRPC)?,
    };
    let mut config = RaftConfig::new(member.coordinator, member.cluster.clone(), layout.raft());
    config.snapshot_every = options.tuning.snapshot_every;
    let parts = RaftParts {
        listener,
        tls,
        clock: options.clock,
        disk: Arc::new(FileDisk),
        beats: options.beats,
        checkpoint: options.checkpoint,
    };
    Ok((config, parts, swap))
}
