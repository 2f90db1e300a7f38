//! A thousand instances, against EC2's default buckets.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use skep_driver::decorators::{Begin, Throttle};
use skep_driver::{CreateIntent, Driver, ErrorKind, Placed};
use skep_tests_ec2::buckets::{self, of_action, shortest};
use skep_tests_ec2::{Behaviour, World};
use skep_types::{CallClass, Limits, ProviderId};

use crate::support::{driver, ids, intent, listed};

const CALLS: u64 = 10;
const EACH: u64 = 100;
/// A third of the replies lost: twenty in a row are one in three thousand million.
const TRIES: usize = 20;

/// As the owner of an account holds it that has made a host before, and then rested until its bucket was full again.
async fn rested(world: &World) -> Arc<dyn Driver> {
    let driver = driver(world).await;
    ensure(&driver, &intent(0, 1, &[])).await;
    let bucket = driver.describe().limits.calls[&CallClass::Create];
    let limits = Limits { calls: [(CallClass::Create, bucket)].into(), ..Limits::default() };
    tokio::time::sleep(Duration::from_secs(60) * bucket.burst / bucket.per_minute).await;
    Throttle::on(driver, &limits, Begin::Full)
}

/// The same call again, for as long as its outcome is open.
async fn ensure(driver: &Arc<dyn Driver>, intent: &CreateIntent) -> Placed {
    for _ in 0..TRIES {
        match driver.ensure(intent).await {
            Ok(placed) => return placed,
            Err(error) => match error.kind {
                ErrorKind::Ambiguous | ErrorKind::Unavailable => {}
                ErrorKind::Throttled { retry_after } => tokio::time::sleep(retry_after).await,
                _ => panic!("{error:?}"),
            },
        }
    }
    panic!("no outcome after {TRIES} tries");
}

async fn a_thousand(driver: &Arc<dyn Driver>) -> BTreeSet<ProviderId> {
    let intents: Vec<CreateIntent> = (1..=CALLS).map(|number| intent(number, EACH, &[])).collect();
    let placed = join_all(intents.iter().map(|intent| ensure(driver, intent))).await;
    placed.iter().flat_map(|placed| ids(&placed.instances)).collect()
}

/// A busy machine only ever adds to the time: the best of so many rounds is what the driver takes.
const ROUNDS: usize = 3;

#[tokio::test]
async fn a_thousand_take_as_long_as_the_buckets_say() {
    let mut rounds = Vec::new();
    while rounds.len() < ROUNDS {
        let (ratio, figures) = round().await;
        if ratio <= 1.10 {
            return;
        }
        rounds.push(figures);
    }
    panic!("more than a tenth over the least time, in each round: {rounds:#?}");
}

/// How many times the least time a thousand took, and what it came from.
async fn round() -> (f64, String) {
    let world = World::start(Behaviour::limited()).await.unwrap();
    let driver = rested(&world).await;
    let began = Instant::now();
    let made = a_thousand(&driver).await;
    let took = began.elapsed();
    let seen = world.seen();
    assert_eq!(made.len(), 1_000);
    assert_eq!(seen.made, 1_001);
    assert!(seen.requests_of("RunInstances") <= 40, "{seen:?}");
    let least = shortest(&[(of_action("RunInstances").1, 1), (buckets::INSTANCES, 100)], &seen.creates[1..]);
    let throttled = seen.throttled_of("RunInstances");
    (
        took.as_secs_f64() / least.as_secs_f64(),
        format!("took {took:?}, at least {least:?}, {throttled} creates throttled"),
    )
}

#[tokio::test]
async fn a_third_of_the_replies_lost_makes_no_doubles_and_no_orphans() {
    let world = World::start(Behaviour { lost_percent: 33, ..Behaviour::limited() }).await.unwrap();
    let driver = rested(&world).await;
    let made = a_thousand(&driver).await;
    assert_eq!((made.len(), world.seen().made), (1_000, 1_001));
    assert!(made.is_subset(&ids(&listed(&driver).await)));
    let creates = world.seen().requests_of("RunInstances");
    assert!(creates <= 40, "{creates} requests");
}
