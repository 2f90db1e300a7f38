//! What the tests of the whole are built from.
//!
//! | module | what |
//! |---|---|
//! | [`mod@bench`] | what things cost: for `tests/bench.sh`, and for tests that set bounds |
//! | [`mod@ec2`] | an emulated EC2 beside a cluster, with real machines if wanted |
//! | [`inprocess`] | clusters in one process, on a simulated world: coordinators that can be crashed anywhere |
//! | [`processes`] | clusters of real `skepd` processes that make real hosts |
//! | [`wait`] | waiting for a condition, with a bound |

#![allow(clippy::unwrap_used, reason = "a step of a test that fails fails the test")]

pub mod bench;
pub mod ec2;
pub mod inprocess;
pub mod processes;
pub mod wait;

/// For whoever reads the output of a test: figures, and what a failure leaves behind.
#[allow(clippy::print_stderr, reason = "tests report through their output")]
pub fn print(text: &str) {
    eprintln!("{text}");
}
