//! Creates that take longer than a call, and creates whose coordinator is gone.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use skep_driver::{Driver, ErrorKind, InstanceState, Kind, Target};
use skep_driver_machine::Settings;

use crate::setup::{Bench, cut_off, cut_off_at_the_door, destroyed, listed, lost, settled, until};

fn made(bench: &Bench) -> Option<()> {
    (bench.cloud().len() == 1).then_some(())
}

#[tokio::test]
async fn a_create_that_takes_longer_than_a_call_goes_on_while_it_is_asked_for() {
    let bench = Bench::new();
    let wait = Duration::from_millis(300);
    let driver =
        bench.driver_with("one", |settings| (settings.wait, settings.linger) = (wait, wait * 10)).await;
    let intent = bench.intent(&[("create-seconds", "1")]);
    assert_eq!(driver.ensure(&intent).await.unwrap_err().kind, ErrorKind::Ambiguous);
    // What is known of it so far can be committed.
    let so_far = listed(&*driver).await.remove(0);
    assert_eq!((so_far.state, so_far.intent), (InstanceState::Starting, Some(intent.intent)));
    let placed = settled(&*driver, &intent).await;
    let [machine] = &placed.instances[..] else { panic!("{placed:?}") };
    assert!(placed.shortfall.is_none() && machine.state == InstanceState::Running);
    assert_eq!(machine.public_address, Some("192.0.2.1".parse().unwrap()));
    assert!(machine.kept.as_ref().unwrap().reveal().contains(r#""InstanceID":"id-"#));
    // What a later coordinator knows by the first answer is enough.
    let elsewhere = bench.driver("two").await;
    destroyed(&*elsewhere, &Target::from(&so_far)).await.unwrap();
    assert!(bench.cloud().is_empty());
}

#[tokio::test]
async fn a_caller_that_comes_again_finds_its_create_going_on() {
    let bench = Bench::new();
    let driver = bench.driver_with("one", |settings| settings.linger = Duration::from_secs(20)).await;
    let intent = bench.intent(&[("create-seconds", "1")]);
    let gone = tokio::time::timeout(Duration::from_millis(300), driver.ensure(&intent)).await;
    assert!(gone.is_err());
    let placed = driver.ensure(&lost(&intent)).await.unwrap();
    assert_eq!((placed.instances[0].state, bench.cloud().len()), (InstanceState::Running, 1));
}

/// As somebody does it who started the program: it is told of the account again.
#[tokio::test]
async fn a_program_that_is_told_new_credentials_goes_on_with_its_create() {
    let bench = Bench::new();
    let kind = bench.kind(|settings| settings.wait = Duration::from_millis(300)).await;
    let before = kind.open(bench.access("one")).await.unwrap();
    let intent = bench.intent(&[("create-seconds", "1")]);
    assert_eq!(before.ensure(&intent).await.unwrap_err().kind, ErrorKind::Ambiguous);
    drop(before);
    let after: Arc<dyn Driver> = kind.open(bench.access("one")).await.unwrap();
    let placed = settled(&*after, &intent).await;
    assert!(placed.shortfall.is_none(), "{placed:?}");
}

/// As coordinators do it: a new process is started, and the old one ends after its last call.
#[tokio::test]
async fn a_create_ends_with_its_process_when_credentials_are_new() {
    let bench = Bench::new();
    let soon = |settings: &mut Settings| settings.wait = Duration::from_millis(300);
    let intent = bench.intent(&[("create-seconds", "60")]);
    let before = bench.driver_with("one", soon).await;
    assert_eq!(before.ensure(&intent).await.unwrap_err().kind, ErrorKind::Ambiguous);
    until("the machine", async || made(&bench)).await;
    let after = bench.driver_with("one", soon).await;
    drop(before);
    let placed = settled(&*after, &intent).await;
    let [remains] = &placed.instances[..] else { panic!("{placed:?}") };
    let why = placed.shortfall.unwrap();
    assert!(remains.state == InstanceState::Stopped && why.message.contains("cut off"), "{why}");
    destroyed(&*after, &Target::from(remains)).await.unwrap();
    assert!(listed(&*after).await.is_empty() && bench.cloud().is_empty());
}

/// A create that nobody asks for any more ends, so that whoever takes over is alone.
#[tokio::test]
async fn what_a_lost_coordinator_had_begun_is_destroyed_by_its_name_elsewhere() {
    let bench = Bench::new();
    let intent = bench.intent(&[("create-seconds", "60")]);
    cut_off(&bench, "one", &intent, async || made(&bench)).await;

    let two = bench.driver("two").await;
    let placed = two.ensure(&lost(&intent)).await.unwrap();
    let [remains] = &placed.instances[..] else { panic!("{placed:?}") };
    let name = remains.instance.provider_id.as_str();
    assert_eq!((remains.state, remains.intent), (InstanceState::Stopped, Some(intent.intent)));
    let why = placed.shortfall.unwrap();
    assert!(why.kind == ErrorKind::Internal && why.message.contains(name), "{why}");
    assert_eq!(bench.cloud().into_keys().collect::<Vec<_>>(), [name]);
    assert_eq!(listed(&*two).await, placed.instances);
    // Told again it is the same, and a third one needs nothing but what was kept.
    assert_eq!(two.ensure(&lost(&intent)).await.unwrap().instances, placed.instances);
    let three = bench.driver("three").await;
    destroyed(&*three, &Target::from(remains)).await.unwrap();
    assert!(bench.cloud().is_empty());
    // The one that had begun it still lists it, and finds that there is nothing to destroy.
    let one = bench.driver("one").await;
    let orphan = Target::from(listed(&*one).await.remove(0).instance);
    destroyed(&*one, &orphan).await.unwrap();
    assert!(listed(&*one).await.is_empty());
}

#[tokio::test]
async fn what_never_began_elsewhere_can_be_destroyed_all_the_same() {
    let bench = Bench::new();
    let two = bench.driver("two").await;
    let intent = bench.intent(&[]);
    let remains = two.ensure(&lost(&intent)).await.unwrap().instances.remove(0);
    assert!(bench.cloud().is_empty());
    destroyed(&*two, &Target::from(&remains)).await.unwrap();
    let again = two.ensure(&lost(&intent)).await.unwrap();
    assert!(again.instances.is_empty() && again.shortfall.is_some(), "{again:?}");
    assert!(listed(&*two).await.is_empty() && bench.cloud().is_empty());
}

#[tokio::test]
async fn a_create_that_was_cut_off_is_told_by_its_own_coordinator_with_all_it_knew() {
    let bench = Bench::new();
    let intent = bench.intent(&[("create-seconds", "60")]);
    cut_off(&bench, "one", &intent, async || made(&bench)).await;
    let again = bench.driver("one").await;
    let placed = settled(&*again, &intent).await;
    let [remains] = &placed.instances[..] else { panic!("{placed:?}") };
    assert!(placed.shortfall.is_some() && remains.state == InstanceState::Stopped);
    assert!(remains.kept.as_ref().unwrap().reveal().contains(r#""CreateSeconds":60"#));
    destroyed(&*again, &Target::from(remains)).await.unwrap();
    assert!(listed(&*again).await.is_empty() && bench.cloud().is_empty());
}

#[tokio::test]
async fn what_was_cut_off_before_its_create_did_nothing_and_may_be_tried_again() {
    let bench = Bench::new();
    let intent = bench.intent(&[("hang", "PreCreateCheck")]);
    let begun = async || bench.path("one/machines").read_dir().ok()?.next().map(drop);
    cut_off(&bench, "one", &intent, begun).await;
    let again = bench.driver("one").await;
    let placed = settled(&*again, &intent).await;
    assert!(placed.instances.is_empty());
    assert_eq!(placed.shortfall.unwrap().kind, ErrorKind::Unavailable);
    assert!(listed(&*again).await.is_empty());
}

#[tokio::test]
async fn a_machine_whose_agent_was_on_its_way_is_taken_up_again() {
    for shut in [false, true] {
        let bench = Bench::new();
        let intent = bench.intent(&[]);
        cut_off_at_the_door(&bench, "one", &intent).await;
        bench.door.shut.store(shut, Ordering::Relaxed);

        let again = bench.driver("one").await;
        let placed = settled(&*again, &intent).await;
        assert_eq!(bench.door.knocks.load(Ordering::Relaxed), 2);
        if shut {
            assert!(placed.instances.is_empty() && bench.cloud().is_empty());
            assert_eq!(placed.shortfall.unwrap().message, "the door is shut");
        } else {
            assert!(placed.shortfall.is_none(), "{placed:?}");
            assert_eq!((placed.instances[0].state, bench.cloud().len()), (InstanceState::Running, 1));
        }
    }
}
