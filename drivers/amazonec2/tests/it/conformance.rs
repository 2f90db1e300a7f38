//! The contract of every driver.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use skep_driver::Driver;
use skep_driver::conformance::{self, DriverUnderTest};
use skep_tests_ec2::{Behaviour, World};
use skep_types::{InstanceRef, Template};

use crate::patient::patient;
use crate::support::{driver, somebody, template};

struct Account {
    world: World,
}

#[async_trait]
impl DriverUnderTest for Account {
    async fn driver(&self) -> Arc<dyn Driver> {
        patient(driver(&self.world).await)
    }

    fn template(&self) -> Template {
        template(&[("zone", "b"), ("tags", "team,blue")])
    }

    fn prefix(&self) -> String {
        "conf".to_owned()
    }

    async fn set_room(&self, room: Option<u32>) -> bool {
        self.world.behave(|behaviour| behaviour.room = room);
        true
    }

    async fn make_foreign(&self) -> Option<InstanceRef> {
        let request =
            somebody(&self.world).run_instances().image_id("ami-12c6146b").min_count(1).max_count(1);
        let made = request.send().await.unwrap();
        let id = made.instances()[0].instance_id().unwrap().to_owned();
        Some(InstanceRef { provider_id: id.parse().unwrap(), name: id })
    }

    async fn foreign_is_untouched(&self, foreign: &InstanceRef) -> bool {
        let asked = somebody(&self.world).describe_instances().instance_ids(foreign.name.as_str());
        let found = asked.send().await.unwrap();
        let state = found.reservations()[0].instances()[0].state().and_then(|state| state.name().cloned());
        state.is_some_and(|state| state.as_str() == "running")
    }
}

#[tokio::test]
async fn every_rule_of_the_contract() {
    let visible_after = Duration::from_millis(500);
    let behaviour = Behaviour { visible_after, lost_percent: 33, ..Behaviour::limited() };
    let world = World::start(behaviour).await.unwrap();
    let report = conformance::run(Account { world }).await.into_result().unwrap();
    assert!(report.not_tried().is_empty(), "{report}");
}
