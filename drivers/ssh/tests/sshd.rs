//! Against OpenSSH's own server, at machines that are containers with systemd.
//!
//! Needs an engine, the image of deploy/host-image.sh and OpenSSH's client programs; `tests/run.sh unit` brings them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a step that fails fails the test")]

#[path = "sshd/container.rs"]
#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod container;
#[path = "sshd/failures.rs"]
mod failures;
#[path = "sshd/host_keys.rs"]
mod host_keys;
#[path = "sshd/jumps.rs"]
mod jumps;
#[path = "sshd/life.rs"]
mod life;
#[path = "sshd/logins.rs"]
mod logins;
#[path = "sshd/sudo.rs"]
mod sudo;
