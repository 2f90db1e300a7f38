//! What holds in every simulated world, whatever its behaviour.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use skep_driver::{CreateIntent, Driver, ErrorKind, InstanceState, Method};
use skep_sim::{Behaviour, IdempotencyClass, NoSoftware, SimConfig, SimDriver, SimWorld};
use tokio::time::Instant;

use crate::asking;

fn world(idempotency: IdempotencyClass, behaviour: Behaviour) -> (Arc<SimWorld>, SimDriver) {
    let config = SimConfig { idempotency, behaviour, ..SimConfig::default() };
    let world = SimWorld::new(config, Arc::new(NoSoftware)).unwrap();
    (Arc::clone(&world), SimDriver::new(world))
}

fn intent(number: u64, slots: u64) -> CreateIntent {
    asking::intent(number, slots, "")
}

#[tokio::test(start_paused = true)]
async fn a_create_takes_its_latency_give_or_take_a_fifth() {
    let behaviour = Behaviour { latency_ms: 10_000, ..Behaviour::default() };
    let (world, driver) = world(IdempotencyClass::Token, behaviour);
    let start = Instant::now();
    let placed = driver.ensure(&intent(1, 100)).await.unwrap();
    let took = start.elapsed();
    assert_eq!(placed.instances.len(), 100);
    assert!((Duration::from_secs(8)..=Duration::from_secs(13)).contains(&took), "{took:?}");
    let addresses: BTreeSet<_> = world.instances().iter().map(|instance| instance.address).collect();
    assert_eq!(addresses.len(), 100, "each instance has an address of its own");
    assert!(addresses.iter().all(std::net::Ipv4Addr::is_loopback));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_dies_leaves_the_effect_behind() {
    let behaviour = Behaviour { latency_ms: 10_000, ..Behaviour::default() };
    let (world, driver) = world(IdempotencyClass::Token, behaviour);
    let dead = tokio::time::timeout(Duration::from_secs(1), driver.ensure(&intent(1, 3))).await;
    assert!(dead.is_err());
    assert_eq!(world.live().len(), 3);
    let found = driver.ensure(&intent(1, 3)).await.unwrap();
    assert_eq!((found.instances.len(), world.instances().len()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn lost_and_partial_replies_make_no_doubles() {
    let behaviour = Behaviour { lost_replies_percent: 50, partial_percent: 50, ..Behaviour::default() };
    for class in [IdempotencyClass::Token, IdempotencyClass::UniqueName] {
        let (world, driver) = world(class, behaviour.clone());
        for number in 1..=20 {
            let intent = intent(number, 4);
            let placed = loop {
                match driver.ensure(&intent).await {
                    Ok(placed) => break placed,
                    Err(error) => assert_eq!(error.kind, ErrorKind::Ambiguous),
                }
            };
            let live = world.live().into_iter().filter(|i| i.intent == Some(intent.intent)).count();
            assert_eq!(placed.instances.len(), live, "{class:?}: the answer says all there is");
            assert_eq!(placed.shortfall.is_some(), live < 4, "{class:?}");
        }
        assert_eq!(world.doubles(), []);
        assert!(world.calls().of(Method::Ensure) > 20, "some replies were lost");
    }
}

#[tokio::test(start_paused = true)]
async fn without_protection_a_second_call_makes_doubles_and_the_world_tells() {
    let (world, driver) = world(IdempotencyClass::None, Behaviour::default());
    driver.ensure(&intent(1, 1)).await.unwrap();
    assert_eq!(world.doubles(), []);
    driver.ensure(&intent(1, 1)).await.unwrap();
    assert_eq!(world.doubles().len(), 2, "the host and the intent: {:?}", world.doubles());
}

#[tokio::test(start_paused = true)]
async fn a_token_stands_for_one_request() {
    let (world, driver) = world(IdempotencyClass::Token, Behaviour::default());
    driver.ensure(&intent(1, 2)).await.unwrap();
    let other = CreateIntent { slots: intent(2, 3).slots, ..intent(1, 2) };
    let error = driver.ensure(&other).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::InvalidSpec { .. }), "{error:?}");
    assert_eq!(world.live().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_provider_throttles_all_callers_together() {
    let behaviour = Behaviour { calls_per_second: Some(5), ..Behaviour::default() };
    let (world, first) = world(IdempotencyClass::Token, behaviour);
    let second = SimDriver::new(Arc::clone(&world));
    for driver in [&first, &second, &first, &second, &first] {
        driver.list("c", None).await.unwrap();
    }
    let error = second.list("c", None).await.unwrap_err();
    let ErrorKind::Throttled { retry_after } = error.kind else { panic!("{error:?}") };
    tokio::time::sleep(retry_after).await;
    second.list("c", None).await.unwrap();
    assert_eq!(world.calls().throttled, 1);
}

#[tokio::test(start_paused = true)]
async fn what_loses_its_power_stops_and_what_vanishes_is_gone() {
    let (world, driver) = world(IdempotencyClass::Token, Behaviour::default());
    let made = driver.ensure(&intent(1, 2)).await.unwrap().instances;
    let (first, second) = (&made[0].instance, &made[1].instance);
    world.cut_power(&first.provider_id);
    world.vanish(&second.provider_id);
    let seen = driver.observe("c", &[first.clone().into(), second.clone().into()]).await.unwrap();
    assert_eq!(seen[0].as_ref().unwrap().state, InstanceState::Stopped);
    assert_eq!(seen[1].as_ref().unwrap().state, InstanceState::Destroyed);
    assert_eq!(driver.list("c", None).await.unwrap().instances.len(), 1);
    world.restore_power(&first.provider_id);
    assert_eq!(world.live()[0].state, InstanceState::Starting);
}

#[tokio::test(start_paused = true)]
async fn calls_and_concurrency_are_counted() {
    let behaviour = Behaviour { latency_ms: 100, ..Behaviour::default() };
    let (world, driver) = world(IdempotencyClass::Token, behaviour);
    let (first, second) = (intent(1, 1), intent(2, 1));
    let (a, b) = tokio::join!(driver.ensure(&first), driver.ensure(&second));
    assert!(a.is_ok() && b.is_ok());
    driver.list("c", None).await.unwrap();
    let calls = world.calls();
    assert_eq!((calls.of(Method::Ensure), calls.of(Method::List), calls.in_flight_max), (2, 1, 2));
}
