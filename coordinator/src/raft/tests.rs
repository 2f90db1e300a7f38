//! Clusters of real nodes in this process: each with its own runtime, listener, certificate and folder.

pub(crate) mod disk;
mod failover;
pub(crate) mod harness;
mod membership;
mod restart;
mod snapshot;
mod writing;
