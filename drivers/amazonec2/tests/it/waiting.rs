//! Looking at many instances costs few requests, and late sight is not absence.

use std::time::Duration;

use futures::future::join_all;
use skep_driver::{ErrorKind, InstanceState};
use skep_tests_ec2::{Behaviour, World};
use skep_types::PowerAction;

use crate::support::{CLUSTER, driver, intent, targets};

/// The emulator shows an instance half a second after it was made.
const LATE: Duration = Duration::from_millis(500);
const LOOKS_MAX: usize = 200;

#[tokio::test]
async fn two_hundred_who_look_at_once_ask_together() {
    let world = World::start(Behaviour::default()).await.unwrap();
    let driver = driver(&world).await;
    let mut made = Vec::new();
    for number in 1..=2 {
        made.extend(driver.ensure(&intent(number, 100, &[])).await.unwrap().instances);
    }
    let before = world.seen().requests_of("DescribeInstances");
    let targets = targets(&made);
    let looks = targets.iter().map(|target| driver.observe(CLUSTER, std::slice::from_ref(target)));
    for seen in join_all(looks).await {
        assert!(seen.unwrap()[0].is_ok());
    }
    let asked = world.seen().requests_of("DescribeInstances") - before;
    assert!(asked <= 2, "{asked} requests for one look at 200 instances");
}

#[tokio::test]
async fn a_hundred_are_stopped_and_destroyed_by_one_request_each() {
    let world = World::start(Behaviour::default()).await.unwrap();
    let driver = driver(&world).await;
    let made = driver.ensure(&intent(1, 100, &[])).await.unwrap().instances;
    let mut targets = targets(&made);
    let stopped = driver.power(CLUSTER, PowerAction::Stop, &targets).await.unwrap();
    assert!(stopped.iter().all(Result::is_ok));
    // One that is gone fails neither the call nor the others.
    targets[7].instance.provider_id = "i-0000000000000dead".parse().unwrap();
    let destroyed = driver.destroy(CLUSTER, &targets).await.unwrap();
    assert_eq!(destroyed.iter().filter(|result| result.is_ok()).count(), 99);
    assert_eq!(destroyed[7].as_ref().unwrap_err().kind, ErrorKind::NotFound);
    let seen = world.seen();
    assert_eq!((seen.requests_of("StopInstances"), seen.requests_of("TerminateInstances")), (1, 1));
}

#[tokio::test]
async fn a_batch_without_an_answer_says_how_it_was_lost() {
    let world = World::start(Behaviour::default()).await.unwrap();
    let driver = driver(&world).await;
    let made = driver.ensure(&intent(1, 2, &[])).await.unwrap().instances;
    world.behave(|behaviour| behaviour.lost_percent = 100);
    for result in driver.destroy(CLUSTER, &targets(&made)).await.unwrap() {
        let error = result.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Ambiguous);
        assert!(error.message.starts_with("EC2 did not terminate the instances: "), "{error}");
    }
}

#[tokio::test]
async fn a_new_instance_that_is_not_seen_yet_is_known_to_its_maker_alone() {
    let behaviour = Behaviour { visible_after: LATE, ..Behaviour::default() };
    let world = World::start(behaviour).await.unwrap();
    let (maker, other) = (driver(&world).await, driver(&world).await);
    let made = maker.ensure(&intent(1, 1, &[])).await.unwrap().instances;
    let targets = targets(&made);
    let first = other.observe(CLUSTER, &targets).await.unwrap();
    assert_eq!(first[0].as_ref().unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(
        maker.observe(CLUSTER, &targets).await.unwrap()[0].as_ref().unwrap().state,
        InstanceState::Starting
    );
    for _ in 0..LOOKS_MAX {
        if let Ok(seen) = &other.observe(CLUSTER, &targets).await.unwrap()[0] {
            assert_eq!(seen.state, InstanceState::Running);
            return;
        }
    }
    panic!("never seen in {LOOKS_MAX} looks");
}
