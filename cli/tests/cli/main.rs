//! The whole command line against a cluster of the tests' own, reached through memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

mod accounts;
mod administration;
mod docker;
mod driver_flags;
mod failover;
mod fake;
mod help;
mod hosts;
mod mtls;
mod operations;
mod reference;
mod run;
mod swarms;
