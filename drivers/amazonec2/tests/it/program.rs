//! The program, as coordinators start it.

use std::sync::Arc;
use std::time::Duration;

use skep_driver::Kind;
use skep_driver::plugin::{Attached, Environment, Launch, Process};
use skep_tests_ec2::{Behaviour, World};

use crate::support::{CLUSTER, access, intent, listed, targets};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_host_is_made_and_destroyed_through_the_socket() {
    let world = World::start(Behaviour::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let launch = Launch {
        program: env!("CARGO_BIN_EXE_skep-driver-amazonec2").into(),
        variant: None,
        folder: folder.path().to_owned(),
        environment: Environment::out_of(|_| None),
    };
    let process = Process::start(&launch, PATIENCE, Arc::new(|_, _| {})).await.unwrap();
    let kind = Attached::connect(process.socket()).await.unwrap();
    assert_eq!(kind.describe().name.as_str(), "amazonec2");
    let driver = kind.open(access(&world)).await.unwrap();
    let made = driver.ensure(&intent(1, 3, &[])).await.unwrap();
    assert_eq!(made.instances.len(), 3);
    for result in driver.destroy(CLUSTER, &targets(&made.instances)).await.unwrap() {
        result.unwrap();
    }
    let left = listed(&driver).await;
    assert!(left.iter().all(|instance| instance.state == skep_driver::InstanceState::Destroyed), "{left:?}");
    process.stop(PATIENCE).await;
}
