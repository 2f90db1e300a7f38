//! The contract of every driver, kept through a plugin.

use std::sync::Arc;

use async_trait::async_trait;
use skep_driver::conformance::{self, DriverUnderTest, Short};
use skep_driver::{Driver, Rule};
use skep_types::Template;

use crate::setup::Bench;

struct Subject(Bench);

#[async_trait]
impl DriverUnderTest for Subject {
    async fn driver(&self) -> Arc<dyn Driver> {
        self.0.driver("one").await
    }

    fn template(&self) -> Template {
        self.0.template(&[])
    }

    fn prefix(&self) -> String {
        "conform".to_owned()
    }

    async fn short(&self) -> Result<Short, &'static str> {
        Err("a cloud's room is not its plugin's to set")
    }
}

#[tokio::test]
async fn the_suite_passes() {
    let report =
        conformance::run(Subject(Bench::new())).await.into_result().unwrap_or_else(|r| panic!("{r}"));
    let not_tried =
        [Rule::EnsureRepeatedMakesNoMore, Rule::ConcurrentEnsureMakesNoDoubles, Rule::ShortfallIsFinal];
    assert_eq!(report.not_tried(), not_tried, "{report}");
}
