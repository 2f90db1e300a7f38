//! Hosts as systemd containers on this machine's Docker Engine.
//!
//! ```text
//! ensure ──► network of the cluster ──► container by its unique name ──► user-data ──► start
//! list, observe, power, destroy ──► containers by the label `skep-cluster`
//! ```
//!
//! Nothing is remembered here: what exists is read from the engine, by labels. A container's name carries cluster,
//! host and incarnation, and the engine refuses a second one, so a lost attempt is found again by trying again.

mod capabilities;
mod container;
mod description;
mod driver;
mod engine;
mod ensure;
mod errors;
mod existing;
mod lifecycle;
mod naming;
mod network;
mod options;
mod subnet;

pub use driver::LocalDriver;
pub use engine::LocalConfig;
pub use network::ClusterNetwork;
