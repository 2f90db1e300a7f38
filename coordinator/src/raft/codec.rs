//! The only place where core's types and the protobuf schema of the log, the snapshots and the raft network meet.
//!
//! ```text
//! core type ── to_pb ──► skep.store.v1 message ── prost ──► bytes      never fails
//! core type ◄─ from_pb ─ skep.store.v1 message ◄─ prost ── bytes       Unreadable{path, problem}
//! ```
//!
//! Reading is strict: an unknown command, word or version is an error and halts apply. A coordinator that skipped
//! what it does not know would go on with another state than the others.
//!
//! The conversions are lists of field names (`wire` holds the two macros): a field that is in one of the two worlds
//! only does not compile.

mod wire;

mod account;
mod agent;
mod cluster;
mod driver;
mod event;
mod host;
mod ids;
mod intent;
mod log;
mod member;
mod operation;
mod outcome;
mod plan;
mod reply;
mod request;
mod rpc;
mod snapshot;
mod swarm;

mod command;
#[cfg(test)]
pub(in crate::raft) mod tests;

use skep_proto::store as pb;

pub(super) use command::{commands_from_pb, commands_to_pb, encoded_len};
pub(super) use log::{
    decode_entry, decode_log_id, decode_vote, encode_entry, encode_log_id, encode_vote, log_id_from_pb,
    log_id_to_pb, vote_from_pb, vote_to_pb,
};
pub(super) use log::{snapshot_meta_from_pb, snapshot_meta_to_pb};
pub(super) use reply::{replies_from_pb, replies_to_pb};
pub(super) use rpc::{
    append_from_pb, append_reply_from_pb, append_reply_to_pb, append_to_pb, transfer_from_pb,
    transfer_reply_from_pb, transfer_reply_to_pb, transfer_to_pb, vote_reply_from_pb, vote_reply_to_pb,
    vote_request_from_pb, vote_request_to_pb,
};
pub(super) use snapshot::{StateReader, read_length, write_state};
pub use wire::Unreadable;
