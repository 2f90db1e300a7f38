//! What skep decides, without doing any of it.
//!
//! ```text
//!  Command ──► apply(&mut State, time, Command) ──► Reply      the same on every coordinator
//!  State ──► plan(&State, now) ──► Plan { commands, wake }     on the leader, as often as anybody likes
//! ```
//!
//! There is no I/O here, no clock, no randomness and no async: time, ids and secrets come in as arguments. `apply` is
//! total: whatever the command, it answers and leaves a state that the planners can go on from. Planners only read;
//! what they want done is a command with a guard, so that proposing it late, or twice, changes nothing.

pub mod apply;
mod claim;
pub mod command;
pub mod plan;
mod spread;
pub mod state;

pub use apply::{Changes, apply};
pub use claim::Claim;
pub use command::{Command, Entry, Reply};
pub use state::State;
