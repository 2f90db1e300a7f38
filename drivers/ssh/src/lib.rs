//! SSH to machines: the only crate that speaks it.
//!
//! ```text
//! Route (jumps, target) ─► connect ─► Connection ─► adopt: look, lay the agent, run the bootstrap script
//!                                         ├──► observe, release, reboot, power off
//!                                         ├──► run: one of our scripts, its data on stdin
//!                                         └──► forward: a stream to an address beyond the machine
//! ```
//! - [`Route`], [`Hop`], [`Login`], [`HostKeys`] say where to, as whom, and whom to expect there.
//! - [`Connection`] is one connection; everything for one machine goes through it.
//! - [`machine`] is what is done to a machine: the agent brought, looked at, and taken away again.
//! - [`config`] reads `~/.ssh/config`, [`known_hosts`] reads `known_hosts`. Both are pure.
//!
//! No text of a script is ever made from input: scripts are constants, data travels on stdin.

mod authenticate;
pub mod config;
mod connect;
mod connection;
mod error;
mod exec;
mod forward;
mod host_key;
mod identity;
pub mod known_hosts;
pub mod machine;
mod route;
mod rsa;
mod sudo;

pub use connect::connect;
pub use connection::Connection;
pub use error::{Error, Kind};
pub use exec::{Output, Script};
pub use forward::Forward;
pub use host_key::{HostKeys, SeenKey, Stranger};
pub use identity::Identity;
pub use route::{Deadlines, Hop, Login, Route};
pub use rsa::Rsa;
