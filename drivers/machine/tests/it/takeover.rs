//! Machines that move between coordinators, each with a folder of its own.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;

use skep_driver::{InstanceState, Target};
use skep_types::PowerAction;

use crate::setup::{Bench, CLUSTER, another, destroyed, folders, listed, observed, programs, users};

#[tokio::test]
async fn another_coordinator_goes_on_with_what_was_kept() {
    let bench = Bench::new();
    let (one, two) = (bench.driver("one").await, bench.driver("two").await);
    let made = one.ensure(&bench.intent(&[])).await.unwrap().instances.remove(0);
    let target = Target::from(&made);
    assert!(listed(&*two).await.is_empty());

    let seen = observed(&*two, &target).await.unwrap();
    assert_eq!((seen.state, seen.public_address), (InstanceState::Running, made.public_address));
    for (action, state) in [
        (PowerAction::Stop, "Stopped"),
        (PowerAction::Start, "Running"),
        (PowerAction::Restart, "Running"),
        (PowerAction::Kill, "Stopped"),
    ] {
        let outcome = two.power(CLUSTER, action, std::slice::from_ref(&target)).await.unwrap().remove(0);
        outcome.unwrap();
        assert_eq!(bench.states(), [state], "{action:?}");
    }
    destroyed(&*two, &target).await.unwrap();
    assert!(bench.cloud().is_empty());
}

#[tokio::test]
async fn a_machine_that_another_coordinator_destroyed_is_gone_here_too() {
    let bench = Bench::new();
    let (one, two) = (bench.driver("one").await, bench.driver("two").await);
    // A driver that does not find what it should remove says so.
    let made = one.ensure(&bench.intent(&[])).await.unwrap().instances.remove(0);
    let target = Target::from(&made);
    observed(&*one, &target).await.unwrap();
    destroyed(&*two, &target).await.unwrap();
    // The orphan search finds it here, and knows nothing of it.
    let orphan = Target::from(listed(&*one).await.remove(0).instance);
    destroyed(&*one, &orphan).await.unwrap();
    assert!(listed(&*one).await.is_empty());
}

#[tokio::test]
async fn what_is_kept_holds_the_key_no_place_of_this_coordinator_and_is_never_printed() {
    let bench = Bench::new();
    let driver = bench.driver("one").await;
    let made = driver.ensure(&bench.intent(&[])).await.unwrap().instances.remove(0);
    let kept = made.kept.as_ref().unwrap().reveal();
    assert!(kept.contains("id_rsa") && kept.contains("hunter2") && kept.contains("ssh-ed25519 AAAA"));
    assert!(!kept.contains(bench.path("one").to_str().unwrap()), "{kept}");
    assert!(!format!("{made:?} {driver:?}").contains("hunter2"));
}

#[tokio::test]
async fn each_plugin_has_a_user_of_its_own_also_after_another_account_s() {
    let range = users();
    let bench = Bench::new();
    let (work, programs) = (bench.path("work"), programs(&bench));
    let mut owners = BTreeSet::new();
    for (account, number) in [("one", 1), ("two", 2), ("one", 3)] {
        let driver = bench
            .driver_with(account, |settings| {
                (settings.users, settings.work) = (Some(range), Some(work.clone()));
                settings.path = programs.clone();
            })
            .await;
        let made = driver.ensure(&another(&bench.intent(&[]), number)).await.unwrap().instances.remove(0);
        let file = bench.path("cloud").join(made.instance.provider_id.as_str()).metadata().unwrap();
        assert!((61_000..=61_009).contains(&file.uid()), "{}", file.uid());
        assert_eq!(file.uid(), file.gid());
        owners.insert(file.uid());
        let kept = made.kept.as_ref().unwrap().reveal();
        assert!(kept.contains("id_rsa.pub"), "{kept}");
        // Its folder was gone with it.
        assert!(folders(&work).is_empty());
    }
    assert_eq!(owners.len(), 3);
}
