//! An emulated EC2 beside a cluster of processes: its driver as a program to be found, and accounts that lead to it.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use skep_tests_ec2::{Behaviour, Hosts, World};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::processes::{Cli, amazonec2_driver};

/// Ends when it is dropped, with every machine that was made for an instance.
#[derive(Debug)]
pub struct Ec2 {
    world: World,
    hosts: Option<Arc<Hosts>>,
    folder: TempDir,
    runtime: Runtime,
}

impl Ec2 {
    /// Instances exist in the emulator only: nothing ever boots.
    pub fn start(behaviour: Behaviour) -> Self {
        let runtime = runtime();
        let world = runtime.block_on(World::start(behaviour)).unwrap();
        Self { world, hosts: None, folder: programs(), runtime }
    }

    /// Every instance is a container, on a network of their own. `prefix` is a DNS label that no other run uses.
    pub fn with_hosts(behaviour: Behaviour, prefix: &str) -> Self {
        let runtime = runtime();
        let hosts = runtime.block_on(Hosts::start(prefix)).unwrap();
        Self::of_hosts(behaviour, hosts, runtime)
    }

    /// The same, on a network that there is.
    pub fn with_hosts_on(network: &str, behaviour: Behaviour, prefix: &str) -> Self {
        let runtime = runtime();
        let hosts = runtime.block_on(Hosts::start_on(network, prefix)).unwrap();
        Self::of_hosts(behaviour, hosts, runtime)
    }

    fn of_hosts(behaviour: Behaviour, hosts: Arc<Hosts>, runtime: Runtime) -> Self {
        let world = runtime.block_on(World::with_hosts(behaviour, Arc::clone(&hosts))).unwrap();
        Self { world, hosts: Some(hosts), folder: programs(), runtime }
    }

    pub fn world(&self) -> &World {
        &self.world
    }

    /// For a coordinator to find the driver in.
    pub fn plugin_path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Waits until every machine is as its instance is.
    pub fn settle(&self) {
        if let Some(hosts) = &self.hosts {
            self.runtime.block_on(hosts.idle());
        }
    }

    /// The machines of its instances, where it has some.
    pub fn hosts(&self) -> Option<&Hosts> {
        self.hosts.as_deref()
    }

    /// Instances that are machines have to prove which they are.
    pub fn add_account(&self, skep: &Cli, name: &str) {
        let trusted = self.hosts.iter().map(|hosts| hosts.certificate());
        let trusted = trusted.map(|certificate| format!("amazonec2-identity-certificates={certificate}"));
        self.add(skep, name, trusted.collect());
    }

    /// Instances are told by the addresses that they call from.
    pub fn add_account_by_address(&self, skep: &Cli, name: &str) {
        self.add(skep, name, Vec::new());
    }

    fn add(&self, skep: &Cli, name: &str, mut options: Vec<String>) {
        options.push(format!("amazonec2-endpoint={}", self.world.endpoint()));
        options.push("amazonec2-insecure-transport=true".to_owned());
        let mut words = vec!["account", "add", name, "--driver", "amazonec2"];
        words.extend(options.iter().flat_map(|option| ["--option", option]));
        words.extend(["--credential", "access-key=testing", "--credential", "secret-key=testing"]);
        skep.text(&words);
    }
}

/// One thread for the proxy's clients, one for what they wait for.
fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A folder with this one driver: what else was built last is no part of a test.
pub fn programs() -> TempDir {
    let folder = tempfile::Builder::new().prefix("skep-e2e-path-").tempdir().unwrap();
    let path = folder.path().join("skep-driver-amazonec2");
    std::fs::copy(amazonec2_driver(), &path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}
