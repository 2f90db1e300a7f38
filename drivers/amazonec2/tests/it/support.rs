//! Drivers of one emulated account, and intents for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::{BehaviorVersion, Credentials, Region};
use skep_driver::{Access, Bootstrap, CreateIntent, Driver, Instance, Kind, Slot, Target};
use skep_driver_amazonec2::AmazonEc2;
use skep_tests_ec2::World;
use skep_types::{HostId, IntentId, ProviderId, Secret, Template};

pub(crate) const SETTLE: Duration = Duration::from_secs(1);
pub(crate) const CLUSTER: &str = "0193c0de-cluster";

/// As one more coordinator would hold it.
pub(crate) async fn driver(world: &World) -> Arc<dyn Driver> {
    let kind = AmazonEc2::settling(SETTLE);
    kind.open(access(world)).await.unwrap()
}

pub(crate) fn access(world: &World) -> Access {
    let mut access = Access::plain("aws".parse().unwrap());
    access.options = BTreeMap::from([
        ("amazonec2-endpoint".to_owned(), world.endpoint()),
        ("amazonec2-insecure-transport".to_owned(), "true".to_owned()),
    ]);
    access.credentials =
        ["access-key", "secret-key"].map(|name| (name.to_owned(), Secret::new("testing"))).into();
    access
}

/// The account as somebody else sees it, who knows nothing of skep.
pub(crate) fn somebody(world: &World) -> Client {
    let config = aws_sdk_ec2::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(world.endpoint())
        // The account's buckets are the driver's as well.
        .retry_config(RetryConfig::standard().with_max_attempts(20))
        .credentials_provider(Credentials::new("testing", "testing", None, None, "test"));
    Client::from_conf(config.build())
}

pub(crate) fn template(options: &[(&str, &str)]) -> Template {
    let full = |(name, value): &(&str, &str)| (format!("amazonec2-{name}"), (*value).to_owned());
    Template {
        driver: "amazonec2".parse().unwrap(),
        account: "aws".parse().unwrap(),
        options: options.iter().map(full).collect(),
        labels: BTreeMap::new(),
    }
}

pub(crate) fn intent(number: u64, slots: u64, options: &[(&str, &str)]) -> CreateIntent {
    let bootstrap = Bootstrap {
        agent_urls: vec!["https://192.0.2.1/agent".to_owned()],
        agent_sha256: "0".repeat(64),
        agent_config: Secret::new("token = \"t\"\n"),
    };
    let slot = |at: u64| Slot {
        name: format!("host-{number}-{at}"),
        host: HostId::new(1, number * 1_000 + at),
        incarnation: 1,
        bootstrap: bootstrap.clone(),
    };
    CreateIntent {
        cluster: CLUSTER.to_owned(),
        intent: IntentId::new(1, number),
        token: format!("0193c0decluster-i1-{number}"),
        template: template(options),
        slots: (0..slots).map(slot).collect(),
        lost: false,
        inherited: None,
    }
}

pub(crate) fn ids(instances: &[Instance]) -> BTreeSet<ProviderId> {
    instances.iter().map(|instance| instance.instance.provider_id.clone()).collect()
}

pub(crate) fn targets(instances: &[Instance]) -> Vec<Target> {
    instances.iter().map(Target::from).collect()
}

/// All pages.
pub(crate) async fn listed(driver: &Arc<dyn Driver>) -> Vec<Instance> {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let page = driver.list(CLUSTER, token.as_deref()).await.unwrap();
        all.extend(page.instances);
        match page.next {
            Some(next) => token = Some(next),
            None => return all,
        }
    }
}
