//! What is closed, and when: a driver that is open may be a process with credentials in its memory.

use std::sync::Weak;

use super::super::upkeep::IDLE;
use super::*;

/// Opened, and held by nobody else.
async fn opened(lab: &Lab) -> Weak<dyn Driver> {
    let (_, used) = lab.accounts.used(&prod()).unwrap();
    Arc::downgrade(&used.opening.current().await.unwrap())
}

fn is_open(driver: &Weak<dyn Driver>) -> bool {
    driver.strong_count() > 0
}

fn later(lab: &Lab, by: Duration) {
    lab.clock.0.fetch_add(by.as_secs(), Ordering::Relaxed);
}

#[tokio::test]
async fn an_account_that_was_removed_is_closed() {
    let lab = Lab::new();
    let driver = opened(&lab).await;
    lab.accounts.keep_up();
    assert!(is_open(&driver));
    *lab.record.write().unwrap() = None;
    lab.accounts.keep_up();
    assert!(!is_open(&driver));
}

#[tokio::test]
async fn an_owner_keeps_it_open_and_others_while_they_use_it() {
    let lab = Lab::new();
    let driver = opened(&lab).await;
    later(&lab, IDLE);
    lab.accounts.keep_up();
    assert!(is_open(&driver), "it is owned here");
    lab.change(|account| account.owners[0].as_mut().unwrap().coordinator = CoordinatorId(2));
    let looking = lab.accounts.looking(&prod()).unwrap();
    looking.list("c", None).await.unwrap();
    later(&lab, IDLE - Duration::from_secs(1));
    lab.accounts.keep_up();
    assert!(is_open(&driver), "it was used a moment ago");
    later(&lab, Duration::from_secs(1));
    lab.accounts.keep_up();
    assert!(!is_open(&driver));
    looking.list("c", None).await.unwrap();
    assert_eq!(lab.keys(), ["one", "one"], "it is opened again by whoever needs it");
}

/// They would end with it.
#[tokio::test]
async fn one_that_may_carry_tunnels_stays_open() {
    let lab = Lab::new();
    let kind = FakeKind::of(DriverDescription { tunnels: true, ..description() });
    lab.drivers.replace([Arc::new(kind) as Arc<dyn Kind>], &[]);
    let driver = opened(&lab).await;
    lab.change(|account| account.owners[0].as_mut().unwrap().coordinator = CoordinatorId(2));
    later(&lab, IDLE);
    lab.accounts.keep_up();
    assert!(is_open(&driver));
}
