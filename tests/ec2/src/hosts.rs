//! Real machines for the emulated instances: containers with systemd, that run the user-data at their first boot.
//!
//! The image is deploy/host-image.sh's. Everything carries the label `skep-tests`, and goes with the [`Hosts`].

mod shape;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::WorldError;
use crate::metadata::{Documents, Metadata};
use shape::Machine;

/// Boots at once: more only make each other slower on two cores.
const BOOTS: usize = 8;
/// Networks that other tests may hold.
const NETWORKS: u8 = 64;
/// The gateway is .1; leave some for whoever else wants an address of this network.
const FIRST: u8 = 10;
const LAST: u8 = 250;

/// A container on one network for each instance.
#[derive(Debug)]
pub struct Hosts {
    prefix: String,
    network: String,
    /// Goes with this value.
    own_network: bool,
    /// Where hosts reach this machine, and coordinators should listen.
    gateway: Ipv4Addr,
    /// The first three parts of the machines' addresses.
    subnet: [u8; 3],
    boots: Arc<Semaphore>,
    tasks: TaskTracker,
    addresses: Mutex<BTreeMap<String, Ipv4Addr>>,
    metadata: Metadata,
}

impl Hosts {
    /// On a network of their own. `prefix` is a DNS label that no other run uses.
    pub async fn start(prefix: &str) -> Result<Arc<Self>, WorldError> {
        let mut last = None;
        for third in 0..NETWORKS {
            let subnet = [10, 251, third];
            let range = format!("{}.{}.{}.0/24", subnet[0], subnet[1], subnet[2]);
            let label = format!("skep-tests={prefix}");
            match docker(&["network", "create", "--subnet", &range, "--label", &label, prefix]).await {
                Ok(_) => return Ok(Arc::new(Self::new(prefix, prefix, in_subnet(subnet, 1), subnet).await?)),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or(WorldError::NoAddress))
    }

    /// On a network that other machines are on, too: in the last 256 addresses of its first 1,024.
    pub async fn start_on(network: &str, prefix: &str) -> Result<Arc<Self>, WorldError> {
        let format = "{{(index .IPAM.Config 0).Gateway}}";
        let gateway = docker(&["network", "inspect", "--format", format, network]).await?.stdout;
        let gateway: Ipv4Addr =
            String::from_utf8_lossy(&gateway).trim().parse().map_err(|_| WorldError::NoAddress)?;
        let [a, b, c, _] = gateway.octets();
        Ok(Arc::new(Self::new(prefix, network, gateway, [a, b, c | 3]).await?))
    }

    async fn new(
        prefix: &str,
        network: &str,
        gateway: Ipv4Addr,
        subnet: [u8; 3],
    ) -> Result<Self, WorldError> {
        Ok(Self {
            prefix: prefix.to_owned(),
            network: network.to_owned(),
            own_network: network == prefix,
            gateway,
            subnet,
            boots: Arc::new(Semaphore::new(BOOTS)),
            tasks: TaskTracker::new(),
            addresses: Mutex::default(),
            metadata: Metadata::start(gateway).await?,
        })
    }

    /// PEM of who signs these instances' identity documents.
    pub fn certificate(&self) -> String {
        self.metadata.identity().certificate()
    }

    /// An identity document of any instance, as its metadata would show it, were it here.
    pub fn document(&self, instance: &str) -> Result<String, WorldError> {
        self.metadata.document(instance)
    }

    /// From now on.
    pub fn show(&self, documents: Documents) {
        self.metadata.show(documents);
    }

    /// Where hosts reach this machine, and coordinators should listen.
    pub fn gateway(&self) -> Ipv4Addr {
        self.gateway
    }

    /// The container of an instance.
    pub fn container(&self, instance: &str) -> String {
        format!("{}-{instance}", self.prefix)
    }

    /// Begins to boot the instance's machine, and tells its address, which it keeps.
    pub(crate) fn boot(self: &Arc<Self>, instance: &str, user_data: &[u8]) -> Result<Ipv4Addr, WorldError> {
        let address = self.reserve(instance)?;
        self.metadata.started(instance, address);
        let (hosts, user_data) = (Arc::clone(self), user_data.to_vec());
        let container = self.container(instance);
        self.tasks.spawn(async move {
            let _boot = hosts.boots.acquire().await;
            let machine = Machine {
                container: &container,
                prefix: &hosts.prefix,
                network: &hosts.network,
                address,
                metadata: hosts.metadata.address(),
                user_data: &user_data,
            };
            if let Err(error) = shape::create(&machine).await {
                warn!(container, %error, "an instance has no machine");
            }
        });
        Ok(address)
    }

    fn reserve(&self, instance: &str) -> Result<Ipv4Addr, WorldError> {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let free = (FIRST..LAST).map(|last| in_subnet(self.subnet, last));
        let mut free = free.filter(|address| !addresses.values().any(|taken| taken == address));
        let address = free.next().ok_or(WorldError::NoAddress)?;
        addresses.insert(instance.to_owned(), address);
        Ok(address)
    }

    /// Does to the machines what a call did to their instances.
    pub(crate) fn follow(self: &Arc<Self>, action: &str, instances: &[String], force: bool) {
        let command: &'static [&'static str] = match (action, force) {
            ("StartInstances", _) => &["start"],
            ("StopInstances", false) => &["stop", "--time", "30"],
            ("StopInstances", true) => &["kill"],
            ("RebootInstances", _) => &["restart", "--time", "30"],
            ("TerminateInstances", _) => &["rm", "--force", "--volumes"],
            _ => return,
        };
        for instance in instances {
            let container = self.container(instance);
            self.tasks.spawn(async move {
                let words: Vec<&str> = command.iter().copied().chain([container.as_str()]).collect();
                if let Err(error) = docker(&words).await {
                    warn!(container, %error, "a machine did not follow its instance");
                }
            });
        }
        if action == "TerminateInstances" {
            let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
            addresses.retain(|known, _| !instances.contains(known));
            self.metadata.gone(instances);
        }
    }

    pub(crate) async fn console(&self, instance: &str) -> Result<Vec<u8>, WorldError> {
        Ok(docker(&["logs", "--tail", "1000", &self.container(instance)]).await?.stdout)
    }

    /// Waits until everything that was begun is done.
    pub async fn idle(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }
}

impl Drop for Hosts {
    /// Also when a test failed. What was being made a moment ago is left to `tests/run.sh`, which knows the label.
    fn drop(&mut self) {
        let filter = format!("label=skep-tests={}", self.prefix);
        let mut remove = format!(
            "docker ps --all --quiet --filter {filter} | xargs --no-run-if-empty docker rm --force --volumes"
        );
        if self.own_network {
            remove.push_str(&format!("; docker network rm {}", self.network));
        }
        let quiet = std::process::Command::new("sh")
            .args(["-c", &remove])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if let Err(error) = quiet {
            warn!(%error, "the machines of a test are left");
        }
    }
}

fn in_subnet([a, b, c]: [u8; 3], last: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, last)
}

pub(crate) async fn docker(words: &[&str]) -> Result<Output, WorldError> {
    let output = Command::new("docker").args(words).stdin(Stdio::null()).kill_on_drop(true).output().await?;
    if output.status.success() {
        return Ok(output);
    }
    let command = words.first().copied().unwrap_or_default().to_owned();
    Err(WorldError::Docker { command, said: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}
