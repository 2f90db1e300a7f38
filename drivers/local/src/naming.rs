//! What things of ours are called, and the labels they carry. Pure.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use skep_driver::{CreateIntent, Slot};

pub(crate) const CLUSTER: &str = "skep-cluster";
pub(crate) const INTENT: &str = "skep-intent";
pub(crate) const HOST: &str = "skep-host";
pub(crate) const INCARNATION: &str = "skep-incarnation";
/// The host's name: containers are called otherwise, and volumes have names of the engine's making.
pub(crate) const NAME: &str = "skep-name";
/// The fixed address: the engine shows it only while the container runs.
pub(crate) const ADDRESS: &str = "skep-address";

/// Eight characters that tell clusters apart: the last ones, for ids made from the time begin alike.
fn short(cluster: &str) -> String {
    let letters: Vec<char> = cluster.chars().filter(char::is_ascii_alphanumeric).collect();
    letters[letters.len().saturating_sub(8)..].iter().collect()
}

/// Also the name of its bridge: 13 characters, where the kernel allows 15.
pub(crate) fn network(cluster: &str) -> String {
    format!("skep-{}", short(cluster))
}

/// Unique for the host's incarnation, so that the engine refuses a second one and a lost attempt is found again.
pub(crate) fn container(cluster: &str, slot: &Slot) -> String {
    format!("skep-{}-{}-{}", short(cluster), slot.host, slot.incarnation)
}

/// Of a host's container and of its volume.
pub(crate) fn labels(intent: &CreateIntent, slot: &Slot, address: Ipv4Addr) -> HashMap<String, String> {
    [
        (CLUSTER, intent.cluster.clone()),
        (INTENT, intent.intent.to_string()),
        (HOST, slot.host.to_string()),
        (INCARNATION, slot.incarnation.to_string()),
        (NAME, slot.name.clone()),
        (ADDRESS, address.to_string()),
    ]
    .into_iter()
    .map(|(label, value)| (label.to_owned(), value))
    .collect()
}

/// A filter of the engine's lists: one that carries the cluster's label.
pub(crate) fn of_cluster(cluster: &str) -> (String, Vec<String>) {
    ("label".to_owned(), vec![format!("{CLUSTER}={cluster}")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_made_at_the_same_time_have_different_networks() {
        assert_eq!(network("0198c0de-7000-7000-8000-00000000beef"), "skep-0000beef");
        assert_eq!(network("c1"), "skep-c1");
        assert!(network("0198c0de-7000-7000-8000-00000000beef").len() <= 15);
    }
}
