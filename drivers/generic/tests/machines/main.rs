//! The driver with real machines: containers with systemd and OpenSSH.
//!
//! Needs an engine and the image of deploy/host-image.sh; `tests/run.sh unit` brings both.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a step that fails fails the test")]

mod broken_off;
mod conformance;
#[path = "../../../ssh/tests/sshd/container.rs"]
#[allow(dead_code, reason = "shared with the tests of SSH, which use all of it")]
mod container;
mod coordinator;
mod given;
mod life;
mod many;
mod refused;
mod ssh_config;
mod tunnel;
