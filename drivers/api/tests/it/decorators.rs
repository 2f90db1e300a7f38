//! Calls end, stay few, and can be broken on purpose.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use skep_driver::decorators::{CallPhase, CallSite, Deadline, Faults, MaxInFlight, decorate};
use skep_driver::{Driver, DriverError, ErrorKind, Method};
use tokio::time::Instant;

use crate::toy::{Account, Defect, Toy, intent};

fn toy() -> (Arc<Account>, Arc<dyn Driver>) {
    let account = Arc::<Account>::default();
    (Arc::clone(&account), Arc::new(Toy::new(Defect::Nothing, account)))
}

fn hanging(inner: Arc<dyn Driver>) -> Arc<dyn Driver> {
    Faults::on(inner, |_| std::future::pending())
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_ends_and_says_whether_it_may_have_had_an_effect() {
    let driver = Deadline::on(hanging(toy().1), Duration::from_secs(120));
    let kind = driver.ensure(&intent(1, 1)).await.unwrap_err().kind;
    assert_eq!(kind, ErrorKind::Ambiguous);
    assert_eq!(driver.destroy("c", &[]).await.unwrap_err().kind, ErrorKind::Ambiguous);
    assert_eq!(driver.list("c", None).await.unwrap_err().kind, ErrorKind::Unavailable);
}

/// A driver whose calls take a second, and how many of them were under way at once.
fn counting() -> (Arc<dyn Driver>, Arc<AtomicU32>) {
    let (now, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let told = Arc::clone(&most);
    let counting = Faults::on(toy().1, move |site: CallSite| {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        async move {
            if site.phase == CallPhase::Before {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(1)).await;
            } else {
                now.fetch_sub(1, Ordering::SeqCst);
            }
            Ok(())
        }
    });
    (counting, told)
}

async fn make_six(driver: Arc<dyn Driver>) {
    let intents: Vec<_> = (1..=6).map(|number| intent(number, 1)).collect();
    let answers = futures::future::join_all(intents.iter().map(|intent| driver.ensure(intent))).await;
    assert!(answers.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_with_an_effect_than_the_driver_takes() {
    let (counting, most) = counting();
    make_six(MaxInFlight::on(counting, 2)).await;
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

/// In how many seconds six calls are made, when the bound is changed like this after half of one.
async fn bounded(before: u32, changes: &[u32]) -> f32 {
    let bound = Arc::new(MaxInFlight::new(before));
    let driver = decorate(counting().0, Arc::clone(&bound));
    let begun = Instant::now();
    let change = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        changes.iter().for_each(|calls| bound.change(*calls));
    };
    tokio::join!(make_six(driver), change);
    begun.elapsed().as_secs_f32()
}

#[tokio::test(start_paused = true)]
async fn a_bound_that_is_changed_holds_for_calls_that_wait_already() {
    assert_eq!(bounded(1, &[1]).await, 6.0);
    assert_eq!(bounded(1, &[3]).await, 2.5);
    assert_eq!(bounded(3, &[1]).await, 4.0);
    assert_eq!(bounded(3, &[1, 2]).await, 3.0, "those under way count");
    assert_eq!(bounded(6, &[1]).await, 1.0, "those under way go on");
}

#[tokio::test]
async fn a_fault_before_keeps_the_driver_out_and_one_after_loses_the_reply() {
    for (phase, made) in [(CallPhase::Before, 0), (CallPhase::After, 2)] {
        let (account, toy) = toy();
        let driver = Faults::on(toy, move |site| async move {
            if site.phase == phase { Err(DriverError::new(ErrorKind::Ambiguous, "lost")) } else { Ok(()) }
        });
        assert!(driver.ensure(&intent(1, 2)).await.is_err());
        assert_eq!(account.count(), made, "{phase:?}");
    }
}

#[tokio::test]
async fn every_site_is_passed_once_in_order() {
    let sites = Arc::new(Mutex::new(Vec::new()));
    let driver = Faults::on(toy().1, {
        let sites = Arc::clone(&sites);
        move |site| {
            sites.lock().unwrap().push((site.seq, site.method, site.phase));
            std::future::ready(Ok(()))
        }
    });
    driver.ensure(&intent(1, 1)).await.unwrap();
    driver.list("c", None).await.unwrap();
    let wanted = [
        (1, Method::Ensure, CallPhase::Before),
        (1, Method::Ensure, CallPhase::After),
        (2, Method::List, CallPhase::Before),
        (2, Method::List, CallPhase::After),
    ];
    assert_eq!(*sites.lock().unwrap(), wanted);
}
