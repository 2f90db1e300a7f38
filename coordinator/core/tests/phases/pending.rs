//! Pending: a back-off, no coordinator, or its turn.

use skep_core::plan::WaitReason;
use skep_types::ClusterTime;

use super::wait;
use crate::support::place::lone;

#[test]
fn waits_for_its_turn() {
    assert_eq!(lone().step("web"), wait(WaitReason::AccountBusy, None));
}

#[test]
fn waits_for_the_end_of_a_back_off() {
    let mut cluster = lone();
    cluster.with_host("web", |host| host.retry_at = Some(ClusterTime(5_000)));
    assert_eq!(cluster.step("web"), wait(WaitReason::Backoff, Some(5_000)));
    cluster.now = ClusterTime(5_000);
    assert_eq!(cluster.step("web"), wait(WaitReason::AccountBusy, None));
}

#[test]
fn waits_for_a_coordinator_that_has_the_driver() {
    let mut cluster = lone();
    let mut account = (*cluster.state.accounts.values().next().cloned().unwrap()).clone();
    account.owners = vec![None];
    cluster.state.accounts.insert(account.name.clone(), account.into());
    assert_eq!(cluster.step("web"), wait(WaitReason::NoEligibleCoordinator, None));
}
