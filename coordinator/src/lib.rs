//! `skepd`: the replicated server.
//!
//! ```text
//!  run ──► raft (own listener, runtime and disk) ◄── propose, read, watch ──┐
//!   ├────► server: api · agents · http  (one mTLS port)                     │
//!   ├────► leader: planner · watcher · membership  (while leading)          ├── Context
//!   ├────► owner: one task per Open intent of its accounts ──► drivers      │
//!   └────► beat ──► the leader's liveness                                  ─┘
//! ```
//!
//! Decisions stand in `skep-core`; everything here carries them out. Nothing here knows a concrete driver, and nothing but
//! `raft` knows openraft.

pub mod accounts;
pub mod agent_binaries;
pub mod agents;
pub mod api;
mod beat;
pub mod clock;
pub mod context;
pub mod found;
mod frozen;
pub mod join;
mod kept;
pub mod layout;
mod leader;
pub mod liveness;
mod metrics;
mod owner;
pub mod plugins;
pub mod raft;
mod renew;
pub mod run;
pub mod server;
pub mod telemetry;
pub mod trust;
