//! Clusters of real nodes in this process: each with its own runtime, listener, certificate and folder.

mod disk;
mod failover;
mod harness;
mod membership;
mod restart;
mod snapshot;
mod writing;
