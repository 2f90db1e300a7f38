//! Real hosts: containers that the plugin makes, and that the agent is brought to over SSH with the plugin's key.
//!
//! Needs an engine and the image of deploy/host-image.sh; `tests/run.sh unit` brings both. The program that is brought
//! as the agent is one that ends at once: what a host does with it is not this crate's.

use std::process::Command;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use skep_driver::{CreateIntent, Driver, InstanceState, Kind, Target};
use skep_driver_machine::{MachineKind, Settings};
use skep_types::PowerAction;
use tokio::io::AsyncReadExt;

use crate::setup::{Bench, path, until};

const PROGRAM: &str = "/bin/true";

/// The containers of one test, gone with it.
struct Containers {
    label: String,
}

impl Containers {
    fn ids(&self) -> Vec<String> {
        let filter = format!("label={}", self.label);
        let listed = docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &filter]);
        listed.split_whitespace().map(str::to_owned).collect()
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        for id in self.ids() {
            docker(&["rm", "--force", "--volumes", &id]);
        }
    }
}

fn docker(words: &[&str]) -> String {
    let output = Command::new("docker").args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A coordinator's driver, with the way in that the program has.
async fn driver(bench: &Bench, coordinator: &str) -> Arc<dyn Driver> {
    let kind = MachineKind::discover("testhost", Settings::new(path(), None)).await.unwrap();
    kind.open(bench.access(coordinator)).await.unwrap()
}

fn intent(bench: &Bench, cluster: &str, containers: &Containers) -> CreateIntent {
    let program = std::fs::read(PROGRAM).unwrap();
    let sha256 = hex::encode(digest(&SHA256, &program).as_ref());
    std::fs::write(bench.path("agents").join(&sha256), program).unwrap();
    let mut intent = bench.intent(&[("cloud", ""), ("label", &containers.label)]);
    intent.template.options.insert("testhost-cloud".to_owned(), String::new());
    intent.cluster = cluster.to_owned();
    intent.slots[0].bootstrap.agent_sha256 = sha256;
    intent
}

async fn becomes(driver: &dyn Driver, cluster: &str, target: &Target, state: InstanceState) {
    until("the state", async || {
        let seen = driver.observe(cluster, std::slice::from_ref(target)).await.unwrap().remove(0).unwrap();
        (seen.state == state).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_container_lives_its_whole_life_as_a_host() {
    let bench = Bench::new();
    // Names of containers are unique on the engine, also among runs of this test.
    let cluster = format!("c-{}", std::process::id());
    let containers = Containers { label: format!("skep-tests=machine-{}", std::process::id()) };
    let intent = intent(&bench, &cluster, &containers);
    let one = driver(&bench, "one").await;
    let placed = one.ensure(&intent).await.unwrap();
    assert!(placed.shortfall.is_none(), "{placed:?}");
    let host = &placed.instances[0];
    assert!(host.state == InstanceState::Running && host.private_address.is_some(), "{host:?}");
    let id = containers.ids().remove(0);
    let marker = docker(&["exec", &id, "cat", "/etc/skep/adopted"]);
    assert!(marker.contains(&format!("cluster={cluster}\n")) && marker.contains("host=h1-1\n"), "{marker}");
    let laid = docker(&["exec", &id, "sha256sum", "/usr/local/bin/skep-agent"]);
    assert!(laid.starts_with(&intent.slots[0].bootstrap.agent_sha256), "{laid}");
    assert!(host.kept.as_ref().unwrap().reveal().contains("ssh-ed25519 "));

    let two = driver(&bench, "two").await;
    let target = Target::from(host);
    for (action, state) in [
        (PowerAction::Stop, InstanceState::Stopped),
        (PowerAction::Start, InstanceState::Running),
        (PowerAction::Restart, InstanceState::Running),
    ] {
        let outcome = two.power(&cluster, action, std::slice::from_ref(&target)).await.unwrap().remove(0);
        outcome.unwrap();
        becomes(&*one, &cluster, &target, state).await;
    }
    // Its SSH server is up again a moment after the container.
    let banner = until("a tunnel", async || {
        let mut banner = [0; 8];
        let mut tunnel = two.tunnel(&cluster, &target, 22).await.ok()?.into_inner();
        tunnel.read_exact(&mut banner).await.unwrap();
        Some(banner)
    });
    assert_eq!(&banner.await, b"SSH-2.0-");
    docker(&["exec", &id, "sh", "-c", "rm /etc/ssh/ssh_host_*; ssh-keygen -qA; systemctl restart ssh"]);
    let refused = two.tunnel(&cluster, &target, 22).await.unwrap_err();
    assert!(skep_types::chain(&refused).contains("has changed"), "{refused:?}");
    two.destroy(&cluster, std::slice::from_ref(&target)).await.unwrap().remove(0).unwrap();
    assert!(containers.ids().is_empty());
}
