//! The crate against a toy driver: a correct one, and the same with one defect at a time.

#![allow(
    clippy::unwrap_used,
    reason = "every line of this crate is a test's; clippy exempts only #[test] functions"
)]

mod decorators;
mod plugin;
mod suite;
mod toy;
