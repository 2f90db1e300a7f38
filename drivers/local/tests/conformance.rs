//! The contract of every driver, kept on this machine's Docker Engine with real hosts.
//!
//! Needs an engine and the image of deploy/host-image.sh; `tests/run.sh unit` brings both.

#![allow(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::Arc;

use async_trait::async_trait;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    CreateContainerOptions, InspectContainerOptions, ListContainersOptions, ListNetworksOptions,
    ListVolumesOptions, RemoveContainerOptions,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use skep_driver::conformance::{self, DriverUnderTest, Short};
use skep_driver::{Driver, Rule};
use skep_driver_local::{LocalConfig, LocalDriver};
use skep_types::{InstanceRef, Template};

const IMAGE: &str = "skep/host:debian-13";

struct Local {
    docker: Docker,
}

#[async_trait]
impl DriverUnderTest for Local {
    async fn driver(&self) -> Arc<dyn Driver> {
        Arc::new(driver())
    }

    fn template(&self) -> Template {
        template(&[("local-memory", "512m")])
    }

    fn prefix(&self) -> String {
        prefix()
    }

    async fn short(&self) -> Result<Short, &'static str> {
        Err("an engine has as much room as its machine")
    }

    async fn make_foreign(&self) -> Option<InstanceRef> {
        let name = format!("{}-foreign", prefix());
        let body = ContainerCreateBody {
            image: Some(IMAGE.to_owned()),
            cmd: Some(vec!["/bin/true".to_owned()]),
            // So that tests/run.sh finds it when this test is cut off.
            labels: Some(HashMap::from([("skep-tests".to_owned(), prefix())])),
            ..Default::default()
        };
        let options = CreateContainerOptions { name: Some(name.clone()), ..Default::default() };
        let made = self.docker.create_container(Some(options), body).await.unwrap();
        Some(InstanceRef { provider_id: made.id.parse().unwrap(), name })
    }

    async fn foreign_is_untouched(&self, foreign: &InstanceRef) -> bool {
        let id = foreign.provider_id.as_str();
        let there = self.docker.inspect_container(id, None::<InspectContainerOptions>).await.is_ok();
        self.docker.remove_container(id, None::<RemoveContainerOptions>).await.unwrap();
        there
    }
}

fn prefix() -> String {
    format!("conf{}", std::process::id())
}

fn driver() -> LocalDriver {
    LocalDriver::connect("local".parse().unwrap(), LocalConfig::default())
}

fn template(options: &[(&str, &str)]) -> Template {
    Template {
        driver: "local".parse().unwrap(),
        account: "local".parse().unwrap(),
        options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        labels: BTreeMap::new(),
    }
}

async fn engine() -> Docker {
    let socket = LocalConfig::default().socket;
    let docker = Docker::connect_with_unix(&socket.to_string_lossy(), 60, API_DEFAULT_VERSION);
    let docker = docker.expect("these tests need a Docker Engine: run them with `tests/run.sh unit`");
    let docker = docker.negotiate_version().await.expect("the Docker Engine does not answer");
    docker.inspect_image(IMAGE).await.expect("these tests need the image that deploy/host-image.sh makes");
    docker
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_of_the_contract_is_kept() {
    let docker = engine().await;
    note_clusters();
    let report = conformance::run(Local { docker: docker.clone() }).await;
    println!("{report}");
    let report = report.into_result().unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(report.not_tried(), [Rule::ShortfallIsFinal]);
    assert_nothing_is_left(&docker).await;
}

/// Tells tests/run.sh whose leftovers to remove if this test is cut off.
fn note_clusters() {
    if let Some(path) = std::env::var_os("SKEP_TEST_CLUSTERS") {
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        writeln!(file, "{}-", prefix()).unwrap();
    }
}

async fn assert_nothing_is_left(docker: &Docker) {
    let of_this_run = |labels: &HashMap<String, String>| {
        labels.get("skep-cluster").is_some_and(|cluster| cluster.starts_with(&prefix()))
    };
    let all = ListContainersOptions { all: true, ..Default::default() };
    let containers = docker.list_containers(Some(all)).await.unwrap();
    assert!(!containers.iter().filter_map(|c| c.labels.as_ref()).any(of_this_run), "containers are left");
    let volumes = docker.list_volumes(None::<ListVolumesOptions>).await.unwrap();
    assert!(!volumes.volumes.unwrap_or_default().iter().any(|v| of_this_run(&v.labels)), "volumes are left");
    let networks = docker.list_networks(None::<ListNetworksOptions>).await.unwrap();
    assert!(!networks.iter().filter_map(|n| n.labels.as_ref()).any(of_this_run), "networks are left");
}

#[tokio::test]
async fn an_image_that_is_not_there_and_too_many_processors_are_refused_by_name() {
    engine().await;
    for (options, field) in [
        ([("local-image", "skep/no-such-image:1")], "template.options.local-image"),
        ([("local-cpus", "65000")], "template.options.local-cpus"),
    ] {
        let error = driver().check(&template(&options)).await.unwrap_err();
        assert!(error.message.contains(field), "{error}");
    }
}

#[tokio::test]
async fn without_an_engine_the_driver_is_unavailable() {
    let config = LocalConfig { socket: "/nonexistent/docker.sock".into() };
    let driver = LocalDriver::connect("local".parse().unwrap(), config);
    let error = driver.list("c1", None).await.unwrap_err();
    assert_eq!(error.kind, skep_driver::ErrorKind::Unavailable);
}
