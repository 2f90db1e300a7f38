//! The simulated driver keeps every rule of the contract, in each idempotency class, linked in and as a plugin.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use skep_driver::conformance::{self, DriverUnderTest, Report};
use skep_driver::{Driver, InstanceState, Rule};
use skep_sim::{Behaviour, IdempotencyClass, Naming, NoSoftware, SimConfig, SimDriver, SimWorld};
use skep_types::{InstanceRef, Template};

use crate::asking;

struct Subject {
    world: Arc<SimWorld>,
}

#[async_trait]
impl DriverUnderTest for Subject {
    async fn driver(&self) -> Arc<dyn Driver> {
        Arc::new(SimDriver::new(Arc::clone(&self.world)))
    }

    fn template(&self) -> Template {
        let options = BTreeMap::from([("sim-zone".to_owned(), "sim-b".to_owned())]);
        Template { options, ..asking::template() }
    }

    fn prefix(&self) -> String {
        "conform".to_owned()
    }

    async fn set_room(&self, room: Option<u32>) -> bool {
        let live = u32::try_from(self.world.live().len()).unwrap();
        self.world.set_behaviour(|behaviour| behaviour.capacity = room.map(|room| live + room));
        true
    }

    async fn make_foreign(&self) -> Option<InstanceRef> {
        Some(self.world.make_foreign("somebody-elses"))
    }

    async fn foreign_is_untouched(&self, foreign: &InstanceRef) -> bool {
        let found = self.world.live().into_iter().find(|instance| instance.id == foreign.provider_id);
        found.is_some_and(|instance| {
            matches!(instance.state, InstanceState::Starting | InstanceState::Running) && instance.boots <= 1
        })
    }
}

fn config(idempotency: IdempotencyClass, naming: Naming) -> SimConfig {
    // Slow enough that calls overlap and a small page that lists need several; fast enough to wait for.
    let behaviour = Behaviour { latency_ms: 40, boot_ms: 20, power_ms: 20, ..Behaviour::default() };
    SimConfig { idempotency, naming, page_size: 2, behaviour, ..SimConfig::default() }
}

async fn report(config: SimConfig) -> (Report, Arc<SimWorld>) {
    let world = SimWorld::new(config, Arc::new(NoSoftware)).unwrap();
    let report = conformance::run(Subject { world: Arc::clone(&world) }).await;
    (report, world)
}

async fn assert_keeps_every_rule(config: SimConfig, not_tried: &[Rule]) {
    let (report, world) = report(config).await;
    assert!(report.broken().is_empty() && report.not_tried() == not_tried, "{report}");
    assert_eq!(world.doubles(), []);
    let left: Vec<_> = world.live().into_iter().filter(|instance| instance.cluster.is_some()).collect();
    assert_eq!(left, [], "the suite cleans up");
}

#[tokio::test(start_paused = true)]
async fn token_named() {
    assert_keeps_every_rule(config(IdempotencyClass::Token, Naming::Named), &[]).await;
}

#[tokio::test(start_paused = true)]
async fn token_interchangeable() {
    assert_keeps_every_rule(config(IdempotencyClass::Token, Naming::Interchangeable), &[]).await;
}

#[tokio::test(start_paused = true)]
async fn unique_name() {
    assert_keeps_every_rule(config(IdempotencyClass::UniqueName, Naming::Named), &[]).await;
}

/// Rules about replays are not for this class.
const NEVER_REPLAYED: [Rule; 2] = [Rule::EnsureRepeatedMakesNoMore, Rule::ConcurrentEnsureMakesNoDoubles];

#[tokio::test(start_paused = true)]
async fn none_named() {
    assert_keeps_every_rule(config(IdempotencyClass::None, Naming::Named), &NEVER_REPLAYED).await;
}

#[tokio::test(start_paused = true)]
async fn none_interchangeable() {
    assert_keeps_every_rule(config(IdempotencyClass::None, Naming::Interchangeable), &NEVER_REPLAYED).await;
}

#[tokio::test(start_paused = true)]
async fn one_instance_a_call() {
    let config = SimConfig { batch_max: 1, ..config(IdempotencyClass::UniqueName, Naming::Named) };
    assert_keeps_every_rule(config, &[]).await;
}

#[tokio::test(start_paused = true)]
async fn an_eventually_consistent_world() {
    let mut config = config(IdempotencyClass::Token, Naming::Interchangeable);
    config.behaviour.visibility_ms = 30;
    assert_keeps_every_rule(config, &[]).await;
}

#[tokio::test(start_paused = true)]
async fn a_throttling_world_answers_in_the_end() {
    let mut config = config(IdempotencyClass::Token, Naming::Named);
    config.behaviour.calls_per_second = Some(50);
    assert_keeps_every_rule(config, &[]).await;
}
