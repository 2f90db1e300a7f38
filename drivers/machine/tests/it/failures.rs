//! Creates that fail, and plugins that misbehave.

use std::sync::atomic::Ordering;

use skep_driver::{Driver, ErrorKind, InstanceState, Target};
use skep_types::PowerAction;

use crate::setup::{Bench, CLUSTER, destroyed, fields, listed, observed};

#[tokio::test]
async fn options_that_the_plugin_refuses_are_a_persons_to_mend() {
    let bench = Bench::new();
    let driver = bench.driver("one").await;
    let refused = [("fail", "PreCreateCheck")];
    let checked = driver.check(&bench.template(&refused)).await.unwrap_err();
    assert_eq!(fields(&checked).into_iter().collect::<Vec<_>>(), ["template.options"]);
    let made = driver.ensure(&bench.intent(&refused)).await.unwrap_err();
    assert!(format!("{:?}", made.kind).contains("PreCreateCheck fails as asked"), "{made:?}");
    assert!(listed(&*driver).await.is_empty() && bench.cloud().is_empty());
    // A credential is the account's, never a template's.
    let secret = driver.check(&bench.template(&[("secret", "in clear")])).await.unwrap_err();
    assert_eq!(fields(&secret).into_iter().collect::<Vec<_>>(), ["template.options.testhost-secret"]);
}

#[tokio::test]
async fn a_create_that_fails_leaves_nothing_and_says_why() {
    for options in
        [&[("fail", "Create")][..], &[("fail", "Create"), ("late", "true")], &[("panic", "Create")]]
    {
        let bench = Bench::new();
        let driver = bench.driver("one").await;
        let placed = driver.ensure(&bench.intent(options)).await.unwrap();
        assert!(placed.instances.is_empty(), "{placed:?}");
        let shortfall = placed.shortfall.unwrap();
        let cause = std::error::Error::source(&shortfall).unwrap().to_string();
        assert!(cause.contains("as asked"), "{cause}");
        assert!(listed(&*driver).await.is_empty() && bench.cloud().is_empty());
        // The identical call makes nothing more.
        let again = driver.ensure(&bench.intent(options)).await.unwrap();
        assert!(again.instances.is_empty() && again.shortfall.is_some());
    }
}

#[tokio::test]
async fn what_cannot_be_removed_after_a_failed_create_stays_listed_with_what_is_known() {
    let bench = Bench::new();
    let driver = bench.driver("one").await;
    let intent = bench.intent(&[("fail", "Create,Remove"), ("late", "true")]);
    let placed = driver.ensure(&intent).await.unwrap();
    let [remains] = &placed.instances[..] else { panic!("{placed:?}") };
    assert_eq!(remains.state, InstanceState::Stopped);
    assert!(placed.shortfall.unwrap().message.contains("may be left"));
    // The id that the plugin knew when it failed.
    let kept = remains.kept.as_ref().unwrap().reveal();
    assert!(kept.contains(&format!(r#""InstanceID":"id-{}""#, remains.instance.provider_id)), "{kept}");
    assert_eq!(listed(&*driver).await, placed.instances);
    let error = destroyed(&*driver, &Target::from(remains)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Internal);
    assert_eq!(bench.cloud().len(), 1);
}

#[tokio::test]
async fn a_plugin_that_dies_in_the_middle_of_create_leaves_a_machine_that_can_be_destroyed() {
    let bench = Bench::new();
    let driver = bench.driver("one").await;
    // It is killed for its output, once the machine is there.
    let placed = driver.ensure(&bench.intent(&[("flood", "Create"), ("late", "true")])).await.unwrap();
    assert_eq!(placed.shortfall.unwrap().kind, ErrorKind::Internal);
    assert_eq!((placed.instances.len(), bench.cloud().len()), (1, 1));
    let target = Target::from(&placed.instances[0]);
    // Its Create made a key, which a machine that is there all the same lets in with.
    let kept = target.kept.as_ref().unwrap().reveal();
    assert!(kept.contains("id_rsa.pub") && kept.contains(r#""Flood":["Create"]"#), "{kept}");
    assert_eq!(observed(&*driver, &target).await.unwrap().instance, target.instance);
    destroyed(&*driver, &target).await.unwrap();
    assert!(listed(&*driver).await.is_empty() && bench.cloud().is_empty());
}

#[tokio::test]
async fn no_machine_is_made_before_there_is_an_agent_for_it() {
    let bench = Bench::new();
    let driver = bench.driver("one").await;
    bench.door.bare.store(true, Ordering::Relaxed);
    let intent = bench.intent(&[]);
    let error = driver.ensure(&intent).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error:?}");
    assert!(listed(&*driver).await.is_empty() && bench.cloud().is_empty());
    bench.door.bare.store(false, Ordering::Relaxed);
    assert_eq!(driver.ensure(&intent).await.unwrap().instances.len(), 1);
    assert_eq!(bench.states(), ["Running"]);
}

#[tokio::test]
async fn a_machine_that_the_agent_cannot_be_brought_to_is_removed() {
    let bench = Bench::new();
    bench.door.shut.store(true, Ordering::Relaxed);
    let driver = bench.driver("one").await;
    let placed = driver.ensure(&bench.intent(&[])).await.unwrap();
    assert!(placed.instances.is_empty());
    assert_eq!(placed.shortfall.unwrap().message, "the door is shut");
    assert!(listed(&*driver).await.is_empty() && bench.cloud().is_empty());
}

#[tokio::test]
async fn plugins_that_fail_or_panic_in_other_calls_are_errors_of_these_calls() {
    let cases = [("fail", ErrorKind::Unavailable), ("panic", ErrorKind::Unavailable)];
    for (how, kind) in cases {
        let bench = Bench::new();
        let driver = bench.driver("one").await;
        let placed = driver.ensure(&bench.intent(&[(how, "GetState")])).await.unwrap();
        let target = Target::from(&placed.instances[0]);
        assert_eq!(observed(&*driver, &target).await.unwrap_err().kind, kind, "{how}");
        assert_eq!(stopped(&*driver, &target).await, Some(kind), "{how}");
        // And the driver itself is as well as before.
        destroyed(&*driver, &target).await.unwrap();
        assert!(bench.cloud().is_empty());
    }
    let bench = Bench::new();
    let driver = bench.driver("one").await;
    let placed = driver.ensure(&bench.intent(&[("panic", "Stop")])).await.unwrap();
    let target = Target::from(&placed.instances[0]);
    assert_eq!(stopped(&*driver, &target).await, Some(ErrorKind::Ambiguous));
}

async fn stopped(driver: &dyn Driver, target: &Target) -> Option<ErrorKind> {
    let one = std::slice::from_ref(target);
    driver.power(CLUSTER, PowerAction::Stop, one).await.unwrap().remove(0).err().map(|error| error.kind)
}
