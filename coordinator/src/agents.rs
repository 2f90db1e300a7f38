//! Agents: their first contact, and the one stream each keeps to any coordinator.
//!
//! ```text
//!  agent ══ stream ══ session ──► observations that differ from the record ──► proposer
//!                        ▲  └───► outcomes of permits ─────────────────────────► proposer
//!                        └─────── assignment = f(host record), whenever the record changes
//!  dial: the agents that do not dial in; their connections are served like all others
//!  registry: which streams end here, and when each was heard ──► beats to the leader
//! ```

mod assignment;
mod dial;
mod dispatch;
mod enrolment;
mod registry;
mod report;
mod session;

pub(crate) use dial::{Dialling, run as dial};
pub use dispatch::run as dispatch;
pub use enrolment::EnrolmentService;
pub use registry::Registry;
pub use session::SessionService;
