//! Coordinators among themselves: one mTLS listener of their own, two services, and the clients for both.
//!
//! `Raft` is openraft's calls; `Peer` is proposals that were made elsewhere than at the leader, linearizable reads, and
//! beats.

mod admission;
mod client;
mod dial;
mod listener;
mod peer_client;
mod peer_server;
mod server;

use std::time::Duration;

pub(super) use admission::Admission;
pub use admission::RaftTls;
pub(super) use client::Network;
pub(super) use dial::Dialer;
pub(super) use listener::serve;
pub(super) use peer_client::PeerClient;
pub(super) use peer_server::PeerService;
pub(super) use server::{Contact, RaftService};

/// One message. Appends carry about 1 MiB, or one larger entry; an entry is at most this, less its envelope.
const MESSAGE_BYTES: usize = skep_types::limits::GRPC_MESSAGE_BYTES;
/// One part of a snapshot.
const CHUNK_BYTES: usize = 1024 * 1024;
/// A peer that does not answer a ping within this is as good as gone: its streams end, and openraft backs off.
const KEEP_ALIVE: Duration = Duration::from_secs(2);
