//! A driver in a process of its own: [`serve`] in the plugin, [`Attached`] in the coordinator.
//!
//! They talk `skep/driver/v1` over a Unix socket. The generated types are named in this module only: `to_wire` and
//! `from_wire` convert, once each way.

mod attached;
mod client;
mod from_wire;
mod server;
mod to_wire;

pub use attached::Attached;
pub use client::PluginDriver;
pub use from_wire::WireError;
pub use server::{ServeError, serve};

/// The version of `driver.proto` that both sides must mean.
pub const PROTOCOL: u32 = 1;
