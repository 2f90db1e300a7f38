//! The simulated cloud as its users see it: through the driver, as a process, and from inside its instances.

#![allow(
    clippy::unwrap_used,
    reason = "every line of this crate is a test's; clippy exempts only #[test] functions"
)]

mod agents;
mod asking;
mod cloud;
mod conformance;
mod process;
mod world;
