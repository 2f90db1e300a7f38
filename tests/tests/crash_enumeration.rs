//! Crash everywhere: the steps of a bulk create and of a delete are found by enumeration, and the leader or the account's
//! owner is stopped before and after each of them, twice.
//!
//! ```text
//!  undisturbed run ──► trace: every entry of the log and every driver call, before and after ──► steps
//!  each step ──► run again, crash there, restart or fail over, crash there again ──► at rest: as undisturbed
//! ```

#[path = "crash_enumeration/lane.rs"]
mod lane;
#[path = "crash_enumeration/step.rs"]
mod step;
#[path = "crash_enumeration/suite.rs"]
mod suite;

use skep_sim::IdempotencyClass;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_with_tokens() {
    suite::run(IdempotencyClass::Token).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_with_unique_names() {
    suite::run(IdempotencyClass::UniqueName).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_with_neither() {
    suite::run(IdempotencyClass::None).await.unwrap();
}

/// The suite would see a double: here is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_that_forgets_its_tokens_is_caught() {
    let error = suite::run_forgetful().await.unwrap_err();
    assert!(error.to_string().contains("doubles"), "{error:#}");
}
