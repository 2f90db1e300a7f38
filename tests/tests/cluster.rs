//! Clusters of coordinators in one process: who leads, who joins, who may, and what outlives a crash.

#![allow(clippy::unwrap_used, reason = "a step of a test that fails fails the test")]

#[path = "cluster/accounts.rs"]
mod accounts;
#[path = "cluster/enrolment.rs"]
mod enrolment;
#[path = "cluster/events.rs"]
mod events;
#[path = "cluster/failover.rs"]
mod failover;
#[path = "cluster/members.rs"]
mod members;
#[path = "cluster/people.rs"]
mod people;
#[path = "cluster/restart.rs"]
mod restart;

use skep_tests::inprocess::{InProcess, Setup};

/// Three coordinators, all voting.
async fn three() -> InProcess {
    InProcess::start(Setup::default()).await.unwrap()
}

async fn one() -> InProcess {
    InProcess::start(Setup { coordinators: 1, ..Setup::default() }).await.unwrap()
}
