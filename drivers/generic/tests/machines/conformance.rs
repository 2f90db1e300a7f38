//! The contract of every driver.

use std::fmt::Write;
use std::sync::Arc;

use async_trait::async_trait;
use skep_driver::conformance::{self, DriverUnderTest, Short};
use skep_driver::{Bootstrap, Driver, Rule};
use skep_types::{InstanceRef, Template};

use crate::container::Container;
use crate::coordinator::{Coordinator, bootstrap, template};

/// No rule has more instances at a time.
const MACHINES: usize = 4;
/// A rule makes fewer intents than this.
const INTENTS: usize = 12;

struct Generic {
    machines: Vec<Container>,
    coordinator: Coordinator,
}

impl Generic {
    /// Every host that the suite names has a machine; those of one rule have different ones.
    fn inventory(&self) -> String {
        let mut lines = "name,address,zone\n".to_owned();
        for (rule, intent) in Rule::ALL.iter().flat_map(|rule| (0..INTENTS).map(move |intent| (rule, intent)))
        {
            let number = usize::from(rule.number()) * 100 + intent;
            let address = &self.machines[intent % MACHINES].address;
            writeln!(lines, "{}-{number}-0,{address},rack", prefix()).unwrap();
        }
        lines
    }

    fn foreign(&self) -> &Container {
        self.machines.last().unwrap()
    }
}

fn prefix() -> String {
    format!("conf{}", std::process::id())
}

#[async_trait]
impl DriverUnderTest for Generic {
    async fn driver(&self) -> Arc<dyn Driver> {
        self.coordinator.driver(&[("inventory", &self.inventory())]).await
    }

    fn template(&self) -> Template {
        template(&[])
    }

    fn prefix(&self) -> String {
        prefix()
    }

    fn bootstrap(&self) -> Bootstrap {
        bootstrap()
    }

    async fn short(&self) -> Result<Short, &'static str> {
        Err("each host names its machine: there is no room that could run out")
    }

    /// A machine that runs somebody else's agent.
    async fn make_foreign(&self) -> Option<InstanceRef> {
        self.foreign().sh("mkdir -p /etc/skep && echo theirs >/etc/skep/agent.toml");
        let provider_id = format!("{}:22", self.foreign().address).parse().unwrap();
        Some(InstanceRef { provider_id, name: "foreign".to_owned() })
    }

    async fn foreign_is_untouched(&self, _: &InstanceRef) -> bool {
        self.foreign().sh("cat /etc/skep/agent.toml && rm -r /etc/skep") == "theirs"
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_of_the_contract_is_kept() {
    let coordinator = Coordinator::new();
    let machines = coordinator.boot_again(MACHINES);
    let report = conformance::run(Generic { machines, coordinator }).await;
    println!("{report}");
    let report = report.into_result().unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(report.not_tried(), [Rule::ShortfallIsFinal]);
}
