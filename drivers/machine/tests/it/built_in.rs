//! Drivers that are built into `docker-machine`: one program that is told by the environment which of them to be.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use skep_driver::{InstanceState, Kind, Target};
use skep_driver_machine::{DiscoverError, MachineKind, Settings};
use skep_types::{PowerAction, chain};

use crate::setup::{Bench, CLUSTER, OpenDoor, destroyed, listed, observed, programs};

/// As `docker-machine` does with its own: nothing but the protocol's two variables makes it a plugin. Its driver
/// `azure` is the one for tests.
const STAND_IN: &str = r#"#!/bin/sh
if [ "$MACHINE_PLUGIN_TOKEN" != 42 ] || [ $# != 0 ]; then
    echo "Usage: docker-machine [OPTIONS] COMMAND [arg...]"
    exit 0
fi
case "$MACHINE_PLUGIN_DRIVER_NAME" in
azure) exec "${0%/*}/docker-machine-driver-testhost" ;;
*) echo "Unsupported driver plugin: $MACHINE_PLUGIN_DRIVER_NAME" >&2; exit 1 ;;
esac
"#;

fn settings(bench: &Bench) -> Settings {
    let path = programs(bench);
    let program = bench.path("docker-machine");
    std::fs::write(&program, STAND_IN).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    Settings::new(path, None)
}

#[tokio::test]
async fn a_machine_of_a_driver_that_is_built_in_lives_its_whole_life() {
    let bench = Bench::new();
    let kind = MachineKind::discover("azure", settings(&bench)).await.unwrap();
    let kind = kind.with_way_in(Arc::<OpenDoor>::clone(&bench.door));
    assert_eq!(kind.describe().name.as_str(), "machine/azure");
    let driver = kind.open(bench.access("one")).await.unwrap();
    let mut intent = bench.intent(&[]);
    intent.template.driver = "machine/azure".parse().unwrap();
    let made = driver.ensure(&intent).await.unwrap().instances.remove(0);
    let target = Target::from(&made);
    assert_eq!((made.state, bench.states()), (InstanceState::Running, vec!["Running".to_owned()]));
    let stopped = driver.power(CLUSTER, PowerAction::Stop, std::slice::from_ref(&target)).await.unwrap();
    assert!(stopped[0].is_ok(), "{stopped:?}");
    assert_eq!(observed(&*driver, &target).await.unwrap().state, InstanceState::Stopped);
    destroyed(&*driver, &target).await.unwrap();
    assert!(listed(&*driver).await.is_empty() && bench.cloud().is_empty());
}

#[tokio::test]
async fn a_driver_that_is_built_in_no_more_is_named() {
    let bench = Bench::new();
    let error = MachineKind::discover("rackspace", settings(&bench)).await.unwrap_err();
    assert!(matches!(error, DiscoverError::Start(..)), "{error:?}");
    assert!(chain(&error).contains("Unsupported driver plugin: rackspace"), "{}", chain(&error));
}
