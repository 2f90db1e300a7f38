//! Instances that are real machines. Needs an engine and the image of deploy/host-image.sh.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use skep_driver::{Driver, ErrorKind, InstanceState, Kind, Target};
use skep_driver_amazonec2::AmazonEc2;
use skep_tests_ec2::{Behaviour, Hosts, World};
use skep_types::PowerAction;

use crate::support::{CLUSTER, access, driver, intent, targets};

/// Systemd boots in two seconds, on a machine under load in ten times that.
const LOOKS_MAX: usize = 600;
const LOOK_EVERY: Duration = Duration::from_millis(100);

fn docker(words: &[&str]) -> String {
    let output = Command::new("docker").args(words).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

async fn becomes(container: &str, running: bool) {
    for _ in 0..LOOKS_MAX {
        if docker(&["inspect", "-f", "{{.State.Running}}", container]) == running.to_string() {
            return;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    panic!("{container} is not running: {running}");
}

/// What the user-data would have gathered, once an agent had been there to enrol.
fn gathered(container: &str) -> String {
    docker(&["exec", container, "sh", "-c", include_str!("../../src/evidence.sh")])
}

async fn trusting(world: &World, certificate: &str) -> Arc<dyn Driver> {
    let mut access = access(world);
    access.options.insert("amazonec2-identity-certificates".to_owned(), certificate.to_owned());
    AmazonEc2::default().open(access).await.unwrap()
}

async fn power(driver: &dyn Driver, action: PowerAction, targets: &[Target]) {
    for result in driver.power(CLUSTER, action, targets).await.unwrap() {
        result.unwrap();
    }
}

/// Metadata is answered beside the commands that ask for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_is_a_machine_with_its_user_data_at_its_address() {
    let prefix = format!("ec2-{}", std::process::id());
    let hosts = Hosts::start(&prefix).await.unwrap();
    let world = World::with_hosts(Behaviour::default(), hosts.clone()).await.unwrap();
    let driver = driver(&world).await;
    let made = driver.ensure(&intent(1, 2, &[])).await.unwrap().instances;
    hosts.idle().await;
    for instance in &made {
        let container = hosts.container(&instance.instance.name);
        let address = docker(&[
            "inspect",
            "-f",
            "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
            &container,
        ]);
        assert_eq!(instance.private_address.unwrap().to_string(), address);
        let user_data = docker(&["exec", &container, "cat", "/var/lib/skep/user-data"]);
        assert!(user_data.starts_with("#!/bin/sh"));
    }
    let trusting = trusting(&world, &hosts.certificate()).await;
    for instance in &made {
        let evidence = gathered(&hosts.container(&instance.instance.name));
        let proven = trusting.attest(CLUSTER, evidence.as_bytes()).await.unwrap();
        assert_eq!(proven.as_ref(), Some(&instance.instance));
        // Without a certificate to trust, an account goes by addresses.
        assert_eq!(driver.attest(CLUSTER, evidence.as_bytes()).await.unwrap(), None);
    }
    assert_eq!(trusting.attest(CLUSTER, b"").await.unwrap_err().kind, ErrorKind::Auth);
    let (all, one) = (targets(&made), hosts.container(&made[0].instance.name));
    power(&*driver, PowerAction::Stop, &all[..1]).await;
    becomes(&one, false).await;
    power(&*driver, PowerAction::Start, &all[..1]).await;
    becomes(&one, true).await;
    let seen = driver.observe(CLUSTER, &all).await.unwrap();
    let seen = seen[0].as_ref().unwrap();
    assert_eq!((seen.state, seen.private_address), (InstanceState::Running, made[0].private_address));
    assert!(!driver.console(CLUSTER, &all[0]).await.unwrap().is_empty());
    driver.destroy(CLUSTER, &all).await.unwrap();
    hosts.idle().await;
    assert_eq!(docker(&["ps", "-aq", "--filter", &format!("label=skep-tests={prefix}")]), "");
}
