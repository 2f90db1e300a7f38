//! A simulated cloud: instances that exist only in memory, with real agent sessions in them.
//!
//! ```text
//!  coordinators ─► SimDriver ─► SimWorld ──boot, halt, erase──► Software (agents, or nothing)
//!  others' drivers ──HTTP──► Cloud ─┘
//! ```
//! One [`SimWorld`] is one account of one provider. All coordinators that share it see the same instances, so a host
//! made twice is there twice. Behaviour is drawn from a seed and timed by tokio's clock.

mod agents;
mod cloud;
mod config;
mod driver;
mod options;
mod software;
mod swarms;
mod world;

pub use agents::Agents;
pub use cloud::{Cloud, CloudError};
pub use config::{Behaviour, ConfigError, IdempotencyClass, Naming, SimConfig};
pub use driver::SimDriver;
pub use software::{Halt, Machine, NoSoftware, Software};
pub use swarms::{SimEngine, SimSwarms};
pub use world::{Calls, Double, SimInstance, SimWorld, Took};
