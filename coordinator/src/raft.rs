//! The replicated log: raft on its own listener, runtime and disk, and the state it leads to.
//!
//! | file | |
//! |---|---|
//! | `handle` | what the rest of the coordinator uses: propose, read, watch, membership |
//! | `node` | puts the parts together in a thread of their own |
//! | `core`, `proposer`, `checkpoint` | finding the leader, and many callers' commands in one entry |
//! | `state_machine`, `changes`, `time` | applied entries: the state, what changed, cluster time |
//! | `store`, `snapshot` | on disk: log, vote, floor record, snapshots |
//! | `network`, `beat` | between coordinators |
//! | `membership`, `leadership`, `status` | who takes part, who leads |
//! | `codec` | core's types as protobuf, and back |
//!
//! Nothing outside names openraft.

mod beat;
mod changes;
mod checkpoint;
mod codec;
mod config;
mod core;
mod error;
mod files;
mod handle;
mod leadership;
mod membership;
mod network;
mod node;
mod proposer;
mod snapshot;
mod state_machine;
mod status;
mod store;
mod time;
mod types;

#[cfg(test)]
pub(crate) mod tests;

pub use beat::{AgentStream, Beat, BeatAnswer, BeatHandler, Sighting};
pub use changes::{ChangeSubscription, Dirty};
pub use checkpoint::{Checkpoint, Unwatched};
pub use codec::Unreadable;
pub use config::{RaftConfig, RaftParts};
pub use error::{ProposeError, ProposeErrorKind, StartError};
pub use handle::RaftHandle;
pub use leadership::Leadership;
pub use network::RaftTls;
pub use node::{create, start};
pub use snapshot::SnapshotError;
pub use state_machine::Published;
pub use status::{Member, RaftStatus};
pub use store::{Disk, FileDisk, StoreError};
pub use types::Node;
