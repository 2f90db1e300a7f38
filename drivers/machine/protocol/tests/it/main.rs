//! Plugins as programs: one written in Go, as all real ones are, and shell scripts that are none.

#![allow(
    clippy::unwrap_used,
    reason = "every line of this crate is a test's; clippy exempts only #[test] functions"
)]

mod containment;
mod life;
mod setup;
#[path = "../../../testdata/testhost.rs"]
mod testhost;
mod words;
