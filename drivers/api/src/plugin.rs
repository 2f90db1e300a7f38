//! A driver in a process of its own: [`serve`] in the plugin, [`PluginDriver`] in the coordinator.
//!
//! They talk `skep/driver/v1` over a Unix socket. The generated types are named in this module only: `to_wire` and
//! `from_wire` convert, once each way.

mod client;
mod from_wire;
mod server;
mod to_wire;

pub use client::PluginDriver;
pub use from_wire::WireError;
pub use server::{ServeError, serve};
