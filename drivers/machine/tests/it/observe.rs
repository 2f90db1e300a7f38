//! Looking at machines, also while others are at work on them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use skep_driver::{InstanceState, Target};
use skep_types::PowerAction;

use crate::setup::{
    Bench, CLUSTER, cut_off_at_the_door, destroyed, folders, listed, observed, settled, until,
};

fn shelved(bench: &Bench, target: &Target) -> PathBuf {
    bench.path("one/machines").join(target.instance.provider_id.as_str())
}

/// Else nobody would bring it: a machine that runs is taken for whole.
#[tokio::test]
async fn a_machine_that_waits_for_its_agent_is_looked_at_and_still_gets_it() {
    let bench = Bench::new();
    let intent = bench.intent(&[]);
    cut_off_at_the_door(&bench, "one", &intent).await;

    let again = bench.driver("one").await;
    let before = listed(&*again).await.remove(0);
    assert_eq!(observed(&*again, &Target::from(before.instance.clone())).await.unwrap(), before);
    assert_eq!((before.state, bench.states()), (InstanceState::Starting, vec!["Running".to_owned()]));
    let placed = settled(&*again, &intent).await;
    assert_eq!((bench.door.knocks.load(Ordering::Relaxed), placed.instances.len()), (2, 1));
}

#[tokio::test]
async fn what_a_failed_create_left_is_looked_at_and_is_no_machine_for_that() {
    let bench = Bench::new();
    let driver = bench.driver("one").await;
    let intent = bench.intent(&[("fail", "Create,Remove"), ("late", "true")]);
    let remains = driver.ensure(&intent).await.unwrap().instances.remove(0);
    let seen = observed(&*driver, &Target::from(&remains)).await.unwrap();
    assert_eq!((seen.state, seen.instance), (InstanceState::Stopped, remains.instance));
    let again = driver.ensure(&intent).await.unwrap();
    assert!(again.shortfall.is_some(), "{again:?}");
}

#[tokio::test]
async fn the_address_is_the_one_that_the_plugin_tells_now() {
    let bench = Bench::new();
    let driver = bench.driver("one").await;
    let made = driver.ensure(&bench.intent(&[])).await.unwrap().instances.remove(0);
    let target = Target::from(&made);
    let cloud = bench.path("cloud").join(made.instance.provider_id.as_str());
    std::fs::write(&cloud, "Running 192.0.2.2").unwrap();
    let moved = observed(&*driver, &target).await.unwrap();
    assert_eq!((moved.state, moved.public_address), (InstanceState::Running, "192.0.2.2".parse().ok()));
    assert_eq!(listed(&*driver).await, [moved]);
    // On its way up; the agent that was brought to it is there, and nobody brings another one.
    std::fs::write(&cloud, "Starting 192.0.2.3").unwrap();
    let starting = observed(&*driver, &target).await.unwrap();
    assert_eq!(
        (starting.state, starting.public_address),
        (InstanceState::Starting, "192.0.2.3".parse().ok())
    );
    driver.ensure(&bench.intent(&[])).await.unwrap();
    assert_eq!(bench.door.knocks.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn where_a_machine_is_that_the_plugin_does_not_tell_is_not_made_up() {
    let bench = Bench::new();
    let driver = bench.driver("one").await;
    let made = driver.ensure(&bench.intent(&[("fail", "GetIP")])).await.unwrap().instances.remove(0);
    observed(&*driver, &Target::from(&made)).await.unwrap_err();
}

#[tokio::test]
async fn a_look_at_a_machine_that_another_call_has_writes_nothing() {
    let bench = Bench::new();
    let driver = bench.driver("one").await;
    let made = driver.ensure(&bench.intent(&[("hang", "Stop")])).await.unwrap().instances.remove(0);
    let target = Target::from(&made);
    let before = std::fs::read_to_string(shelved(&bench, &target)).unwrap();
    assert!(before.contains(r#""handed_over":false"#), "{before}");
    let (other, bare) = (Arc::clone(&driver), Target::from(made.instance.clone()));
    let stopping = tokio::spawn(async move {
        let _ = other.power(CLUSTER, PowerAction::Stop, std::slice::from_ref(&bare)).await;
    });
    until("the other call's plugin", async || folders(&bench.path("one/work")).pop()).await;
    let cloud = bench.path("cloud").join(made.instance.provider_id.as_str());
    std::fs::write(&cloud, "Running 192.0.2.2").unwrap();
    let seen = observed(&*driver, &target).await.unwrap();
    assert_eq!((seen.public_address, seen.kept), ("192.0.2.2".parse().ok(), made.kept));
    assert_eq!(std::fs::read_to_string(shelved(&bench, &target)).unwrap(), before);
    stopping.abort();
}

/// As a crash between the mark and the end of the entry leaves it.
#[tokio::test]
async fn a_machine_that_was_buried_by_half_is_listed_until_it_is_destroyed_again() {
    let bench = Bench::new();
    let driver = bench.driver("one").await;
    let made = driver.ensure(&bench.intent(&[])).await.unwrap().instances.remove(0);
    let target = Target::from(&made);
    let entry = std::fs::read(shelved(&bench, &target)).unwrap();
    destroyed(&*driver, &target).await.unwrap();
    std::fs::write(shelved(&bench, &target), entry).unwrap();
    assert_eq!(listed(&*driver).await.len(), 1);
    destroyed(&*driver, &target).await.unwrap();
    assert!(listed(&*driver).await.is_empty());
}
