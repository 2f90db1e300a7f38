//! Benchmarks: each starts a cluster of real processes, has it do one thing, and says what that cost.
//!
//! `tests/bench.sh` builds what they start, and cleans up after them however they end.

mod agent;
mod api;
mod bulk;
mod ec2;
mod figures;
mod procfs;
mod sim;
mod ssh;

pub use agent::{AgentOptions, agent};
pub use api::Api;
pub use bulk::{Bulk, BulkOptions, bulk};
pub use ec2::{Ec2Options, Ec2Took, ec2};
pub use figures::Figures;
pub use procfs::{cpu, resident_mib};
pub use sim::{Simulation, Took};
pub use ssh::{SshOptions, ssh};
