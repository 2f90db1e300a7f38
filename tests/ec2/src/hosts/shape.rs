//! One machine: what it is allowed, and what lies in it before it boots.

use std::net::{Ipv4Addr, SocketAddr};

use super::docker;
use crate::WorldError;

const IMAGE: &str = "skep/host:debian-13";

/// Mounts that the engine makes read-only must be writable before init runs, or containers inside the host fail. What
/// the machine itself asks at the address of EC2's metadata goes to where it is answered here.
const BOOT: &str = r#"for m in $(awk '$5 ~ "^/sys/fs/cgroup" || $5 == "/proc/sys" {print $5}' /proc/self/mountinfo); do
mount -o remount,bind,rw "$m"
done
iptables --wait --table nat --append OUTPUT --protocol tcp --destination 169.254.169.254 --dport 80 \
    --jump DNAT --to-destination "$1"
exec /sbin/init"#;

/// Its bit, as capabilities(7) numbers them.
const CAP_SYS_RESOURCE: u32 = 24;

#[derive(Debug)]
pub(super) struct Machine<'a> {
    pub(super) container: &'a str,
    /// What goes together.
    pub(super) prefix: &'a str,
    pub(super) network: &'a str,
    pub(super) address: Ipv4Addr,
    /// Where it really asks for its metadata.
    pub(super) metadata: SocketAddr,
    pub(super) user_data: &'a [u8],
}

pub(super) async fn create(machine: &Machine<'_>) -> Result<(), WorldError> {
    let Machine { container, prefix, network, .. } = machine;
    let (label, address) = (format!("skep-tests={prefix}"), machine.address.to_string());
    let metadata = machine.metadata.to_string();
    let mut words = vec!["create", "--name", container, "--hostname", container, "--label", &label];
    words.extend(["--network", network, "--ip", &address, "--tty", "--stop-signal", "SIGRTMIN+3"]);
    words.extend(["--cap-add", "ALL", "--security-opt", "seccomp=unconfined"]);
    words.extend(["--security-opt", "apparmor=unconfined", "--device-cgroup-rule", "a *:* rwm"]);
    words.extend(["--cgroupns", "private", "--tmpfs", "/run", "--tmpfs", "/tmp"]);
    words.extend(["--volume", "/var/lib/docker"]);
    if lacks_sys_resource().await? {
        words.extend(["--cap-drop", "SYS_RESOURCE"]);
    }
    words.extend([IMAGE, "/bin/sh", "-c", BOOT, "boot", &metadata]);
    docker(&words).await?;
    lay(container, machine.user_data).await?;
    docker(&["start", container]).await.map(drop)
}

/// The image runs what lies there once, as root.
async fn lay(container: &str, user_data: &[u8]) -> Result<(), WorldError> {
    let folder = tempfile::tempdir()?;
    tokio::fs::create_dir(folder.path().join("skep")).await?;
    tokio::fs::write(folder.path().join("skep/user-data"), user_data).await?;
    let from = folder.path().join("skep");
    docker(&["cp", &from.display().to_string(), &format!("{container}:/var/lib/")]).await.map(drop)
}

/// A machine cannot give what it has not itself.
async fn lacks_sys_resource() -> Result<bool, WorldError> {
    let status = tokio::fs::read_to_string("/proc/self/status").await?;
    let bounding = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
    let bits = bounding.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(u64::MAX);
    Ok(bits & (1 << CAP_SYS_RESOURCE) == 0)
}
