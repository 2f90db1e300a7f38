//! The program, as a coordinator starts it, and killed in the middle.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use skep_driver::plugin::Attached;
use skep_driver::{Driver, InstanceState, Kind, Target};

use crate::setup::{Bench, destroyed, listed, path, until};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_skep-driver-machine");

/// Killed when it is dropped.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(socket: &Path) -> Running {
    let child = Command::new(PROGRAM)
        .env_clear()
        .env("PATH", path())
        .args(["--plugin-users", "none", "--variant", "testhost", "--socket"])
        .arg(socket)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    Running(child)
}

async fn opened(bench: &Bench, socket: &Path) -> Arc<dyn Driver> {
    let kind = until("the driver's socket", async || Attached::connect(socket).await.ok()).await;
    assert_eq!(kind.describe().name.as_str(), "machine/testhost");
    kind.open(bench.access("one")).await.unwrap()
}

#[tokio::test]
async fn a_create_that_was_killed_in_the_middle_is_listed_and_can_be_destroyed() {
    let bench = Bench::new();
    let socket = bench.path("socket");
    let first = start(&socket);
    let driver = opened(&bench, &socket).await;
    let intent = bench.intent(&[("create-seconds", "60")]);
    let ensure = tokio::spawn(async move { driver.ensure(&intent).await });
    until("the machine at its cloud", async || bench.cloud().into_keys().next()).await;
    drop(first);
    ensure.await.unwrap().unwrap_err();

    let _second = start(&socket);
    let driver = opened(&bench, &socket).await;
    let found = listed(&*driver).await.remove(0);
    assert_eq!((found.intent, found.state), (Some(bench.intent(&[]).intent), InstanceState::Starting));
    assert_eq!(bench.cloud().keys().collect::<Vec<_>>(), [found.instance.provider_id.as_str()]);
    destroyed(&*driver, &Target::from(&found)).await.unwrap();
    assert!(listed(&*driver).await.is_empty() && bench.cloud().is_empty());
}

#[test]
fn variants_are_printed_one_a_line() {
    let output = Command::new(PROGRAM).arg("variants").env_clear().env("PATH", path()).output().unwrap();
    let names = String::from_utf8(output.stdout).unwrap();
    assert!(names.lines().any(|name| name == "testhost"), "{names}");
}

#[test]
fn a_plugin_that_is_not_there_is_named() {
    let output = Command::new(PROGRAM)
        .args([
            "--path",
            "/nonexistent",
            "--plugin-users",
            "none",
            "--socket",
            "unused",
            "--variant",
            "nowhere",
        ])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("no program docker-machine-driver-nowhere"), "{words}");
}
