//! The client's side of Docker Machine's plugin protocol.
//!
//! ```text
//! Plugin ── starts a program, reads the address from its output, drains its logs, keeps its heart beating
//!    │ calls: GetCreateFlags, Create, GetState …
//! rpc ───── Go's net/rpc: requests and replies matched by number, many at once
//!    │ values
//! gob ───── Go's encoding/gob: types described in the stream, values of them
//! ```
//!
//! Nothing a plugin sends is believed: every message, nesting, count, wait and log is bounded, and a plugin that
//! breaks a bound is ended and named in the error. The layers know nothing of drivers, hosts or coordinators.

pub mod gob;
mod plugin;
pub mod rpc;

pub use plugin::{
    Action, CreateFlag, FlagValue, Launch, Limits, MachineState, Mask, Plugin, PluginError, PluginUser,
    Property,
};
