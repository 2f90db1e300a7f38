//! The driver against an emulated EC2 that has EC2's limits and a network's faults.
//!
//! Needs moto; `tests/run.sh unit` brings it.

#![allow(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod bulk;
mod conformance;
mod create;
mod hosts;
mod patient;
mod program;
mod support;
mod waiting;
mod ways;
