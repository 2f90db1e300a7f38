//! What runs in the instances of a world.

use std::fmt::Debug;
use std::net::Ipv4Addr;

use skep_types::{ProviderId, Secret};

/// Told of every instance's power, in order. Called under the world's lock: returns at once, and never calls the
/// world.
pub trait Software: Send + Sync + Debug + 'static {
    /// The instance runs. Its disk is what it was, if it ran before.
    fn boot(&self, machine: Machine);

    /// The instance stopped running. Never called twice without a boot between.
    fn halt(&self, id: &ProviderId, how: Halt);

    /// The instance and its disk are gone for good. It was halted before.
    fn erase(&self, id: &ProviderId);
}

/// An instance as seen from inside.
#[derive(Debug, Clone)]
pub struct Machine {
    pub id: ProviderId,
    /// Its hostname.
    pub name: String,
    pub address: Ipv4Addr,
    /// Counts the boots of this instance, from 1.
    pub boot: u64,
    /// The agent's configuration, TOML, as the driver was given it.
    pub agent_config: Secret,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// Programs end in order.
    Orderly,
    /// As if the power were cut.
    Cut,
}

/// Instances in which nothing runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSoftware;

impl Software for NoSoftware {
    fn boot(&self, _: Machine) {}
    fn halt(&self, _: &ProviderId, _: Halt) {}
    fn erase(&self, _: &ProviderId) {}
}
