//! The driver, over the plugin in Go.

#![allow(
    clippy::unwrap_used,
    reason = "every line of this crate is a test's; clippy exempts only #[test] functions"
)]

mod built_in;
mod closed_off;
mod conformance;
mod failures;
mod hosts;
mod lost;
mod observe;
mod program;
mod setup;
mod takeover;
#[path = "../../testdata/testhost.rs"]
mod testhost;
