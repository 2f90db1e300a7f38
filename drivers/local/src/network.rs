//! One network for the hosts of each cluster, with addresses of our choosing.
//!
//! Addresses are fixed because those of the default bridge change over stop and start: another host would take a
//! stopped manager's address, and its swarm lose quorum.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use bollard::Docker;
use bollard::models::{Ipam, IpamConfig, Network, NetworkCreateRequest};
use bollard::query_parameters::ListNetworksOptions;
use skep_driver::{DriverError, ErrorKind};
use tracing::info;

use crate::subnet::{self, Subnet};
use crate::{errors, existing, naming};

/// Each refused attempt finds the network another coordinator made meanwhile, or one more subnet taken.
const ATTEMPTS: usize = 16;

const ROUTES: &str = "/proc/net/route";

/// The network the hosts of one cluster are on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterNetwork {
    pub name: String,
    /// The machine's address on it.
    pub gateway: Ipv4Addr,
    pub(crate) subnet: Subnet,
}

/// The cluster's network, made if there is none.
///
/// Two coordinators at once end with one network: both ask for the same bridge, and the engine refuses the second.
pub(crate) async fn ensure(docker: &Docker, cluster: &str) -> Result<ClusterNetwork, DriverError> {
    let name = naming::network(cluster);
    let mut refused = Vec::new();
    for _ in 0..ATTEMPTS {
        let networks = list(docker).await?;
        if let Some(network) = networks.iter().find(|network| network.name.as_ref() == Some(&name)) {
            return read(network, cluster, name);
        }
        let taken: Vec<Subnet> =
            networks.iter().flat_map(subnets).chain(routes()).chain(refused.clone()).collect();
        let subnet = subnet::free_subnet(cluster, &taken).ok_or_else(|| {
            DriverError::new(ErrorKind::Capacity, "no subnet is free for the cluster's network")
        })?;
        match docker.create_network(request(cluster, &name, subnet)).await {
            Ok(_) => info!(network = %name, %subnet, "made the cluster's network"),
            // The name, the bridge or the subnet was taken since the list was read.
            Err(error) if matches!(errors::status(&error), Some(403 | 409)) => refused.push(subnet),
            Err(error) => {
                return Err(errors::changing("the engine did not make the cluster's network")(error));
            }
        }
    }
    Err(DriverError::new(ErrorKind::Unavailable, "other networks took every subnet that was tried"))
}

/// Removes the network once no host of the cluster is left.
pub(crate) async fn remove_if_unused(docker: &Docker, cluster: &str) -> Result<(), DriverError> {
    if !existing::of_cluster(docker, cluster).await?.is_empty() {
        return Ok(());
    }
    match docker.remove_network(&naming::network(cluster)).await {
        Ok(()) => info!(cluster, "removed the cluster's network"),
        // Gone already, or a host was made since the list was read.
        Err(error) if matches!(errors::status(&error), Some(403 | 404 | 409)) => {}
        Err(error) => return Err(errors::changing("the engine did not remove the cluster's network")(error)),
    }
    Ok(())
}

async fn list(docker: &Docker) -> Result<Vec<Network>, DriverError> {
    let networks = docker.list_networks(None::<ListNetworksOptions>).await;
    networks.map_err(errors::reading("the engine did not list its networks"))
}

fn read(network: &Network, cluster: &str, name: String) -> Result<ClusterNetwork, DriverError> {
    let labelled = network.labels.as_ref().and_then(|labels| labels.get(naming::CLUSTER));
    if labelled.map(String::as_str) != Some(cluster) {
        let message = format!("the network {name} belongs to somebody else; remove it or rename it");
        return Err(DriverError::new(ErrorKind::Internal, message));
    }
    let subnet = subnets(network).into_iter().next();
    let subnet = subnet.ok_or_else(|| {
        DriverError::new(ErrorKind::Internal, format!("the network {name} has no IPv4 subnet"))
    })?;
    Ok(ClusterNetwork { name, gateway: subnet.gateway(), subnet })
}

fn subnets(network: &Network) -> Vec<Subnet> {
    let configs = network.ipam.as_ref().and_then(|ipam| ipam.config.as_deref()).unwrap_or_default();
    configs.iter().filter_map(|config| config.subnet.as_ref()?.parse().ok()).collect()
}

/// The machine's routes; none where they cannot be read, for then the engine's own networks are all that is known.
fn routes() -> Vec<Subnet> {
    std::fs::read_to_string(ROUTES).map(|table| subnet::routed(&table)).unwrap_or_default()
}

fn request(cluster: &str, name: &str, subnet: Subnet) -> NetworkCreateRequest {
    let text = |key: &str, value: &str| HashMap::from([(key.to_owned(), value.to_owned())]);
    NetworkCreateRequest {
        name: name.to_owned(),
        driver: Some("bridge".to_owned()),
        ipam: Some(Ipam {
            config: Some(vec![IpamConfig {
                subnet: Some(subnet.to_string()),
                gateway: Some(subnet.gateway().to_string()),
                ..Default::default()
            }]),
            ..Default::default()
        }),
        options: Some(text("com.docker.network.bridge.name", name)),
        labels: Some(text(naming::CLUSTER, cluster)),
        ..Default::default()
    }
}
