//! The process on each host: enrols, reports, and does what its assignment says. Also the Docker front door.
//!
//! ```text
//!                       ┌──────────── agent::run ─────────────┐
//! coordinators ◄─ mTLS ─┤ session ─ orders ──► worker ──┐     │
//!   (any of them)       │    ▲ ▲                │ ledger├─► Engine (docker.sock, or a simulated one)
//!                       │    │ └─── outcomes ───┘       │     │
//!                       │    └───── reports ── observe ─┘     │
//!                       └─────────────────────────────────────┘
//! docker CLI ── mTLS, 2376 ──► proxy ── byte for byte ──► docker.sock      (a process of its own)
//! a coordinator that dials us, 2376 ──► proxy ──────────► session.sock ──► session
//! ```
//!
//! `session` and `wire` alone know the protocol, `engine` alone knows Docker, `worker::decide` alone decides.

mod agent;
mod engine;
mod error;
mod facts;
mod identity;
mod ledger;
mod observe;
mod pace;
mod permit;
mod proxy;
mod resolve;
mod roster;
mod session;
mod store;
mod timing;
mod wire;
mod worker;

pub use agent::{Deps, Ended, Settings, run};
pub use engine::{
    Docker, Engine, EngineError, EngineErrorKind, EngineFacts, EngineView, Join, LocalNode, LocalState, Node,
    NodeChange, Swarm,
};
pub use error::AgentError;
pub use facts::{Facts, ProcFacts, Resources};
pub use identity::IdentityRecord;
pub use proxy::{Proxy, ProxyLimits, ProxySettings};
pub use resolve::hickory;
pub use session::Called;
pub use store::{DiskStore, MemoryStore, Record, Store, StoreError};
pub use timing::{Backoff, Timing};
