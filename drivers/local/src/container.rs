//! What a host's container looks like. Pure.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use bollard::models::{
    ContainerCreateBody, EndpointIpamConfig, EndpointSettings, HostConfig, HostConfigCgroupnsModeEnum,
    HostConfigLogConfig, Mount, MountType, MountVolumeOptions, NetworkingConfig,
};

use crate::options::Options;

/// The mounts that the engine makes read-only must be writable before init runs, or containers inside the host fail
/// ("cpuset … read-only file system", "failed to disable IPv6").
const BOOT: &str = r#"for m in $(awk '$5 ~ "^/sys/fs/cgroup" || $5 == "/proc/sys" {print $5}' /proc/self/mountinfo); do
mount -o remount,bind,rw "$m"
done
exec /sbin/init"#;

/// systemd shuts down in an orderly way on this signal.
pub(crate) const STOP_SIGNAL: &str = "SIGRTMIN+3";

/// What of the console is kept on disk; [`skep_driver::Driver::console`] shows the last 64 KiB.
const CONSOLE_LOG: &str = "256k";

/// Everything that differs from host to host.
#[derive(Debug)]
pub(crate) struct Shape<'a> {
    pub(crate) hostname: &'a str,
    pub(crate) options: &'a Options,
    pub(crate) network: &'a str,
    pub(crate) address: Ipv4Addr,
    pub(crate) labels: HashMap<String, String>,
    pub(crate) capabilities_missing: Vec<String>,
}

pub(crate) fn body(shape: Shape<'_>) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(shape.options.image.clone()),
        hostname: Some(shape.hostname.to_owned()),
        cmd: Some(["/bin/sh", "-c", BOOT].map(str::to_owned).to_vec()),
        // systemd writes what happens to the console, and without a terminal there is none.
        tty: Some(true),
        stop_signal: Some(STOP_SIGNAL.to_owned()),
        networking_config: Some(endpoint(shape.network, shape.address)),
        labels: Some(shape.labels.clone()),
        host_config: Some(host_config(shape)),
        ..Default::default()
    }
}

fn host_config(shape: Shape<'_>) -> HostConfig {
    HostConfig {
        // Not `privileged`: it fails on a machine that lacks a capability itself.
        cap_add: Some(vec!["ALL".to_owned()]),
        cap_drop: Some(shape.capabilities_missing),
        security_opt: Some(vec!["seccomp=unconfined".to_owned(), "apparmor=unconfined".to_owned()]),
        device_cgroup_rules: Some(vec!["a *:* rwm".to_owned()]),
        cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
        tmpfs: Some(["/run", "/tmp"].map(|path| (path.to_owned(), String::new())).into()),
        mounts: Some(vec![engine_data(shape.labels)]),
        memory: shape.options.memory_bytes,
        // The same as memory: no swap beside it.
        memory_swap: shape.options.memory_bytes,
        nano_cpus: shape.options.nano_cpus,
        network_mode: Some(shape.network.to_owned()),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(
                [("max-size", CONSOLE_LOG), ("max-file", "2")]
                    .map(|(k, v)| (k.to_owned(), v.to_owned()))
                    .into(),
            ),
        }),
        ..Default::default()
    }
}

/// An anonymous volume for the host's own engine: overlay on overlay fails. It goes with its container.
fn engine_data(labels: HashMap<String, String>) -> Mount {
    Mount {
        target: Some("/var/lib/docker".to_owned()),
        typ: Some(MountType::VOLUME),
        volume_options: Some(MountVolumeOptions { labels: Some(labels), ..Default::default() }),
        ..Default::default()
    }
}

fn endpoint(network: &str, address: Ipv4Addr) -> NetworkingConfig {
    let ipam_config = EndpointIpamConfig { ipv4_address: Some(address.to_string()), ..Default::default() };
    let settings = EndpointSettings { ipam_config: Some(ipam_config), ..Default::default() };
    NetworkingConfig { endpoints_config: Some(HashMap::from([(network.to_owned(), settings)])) }
}
