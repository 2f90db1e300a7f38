//! IPv4 subnets for clusters, and addresses in them. Pure: what is taken is an argument.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use skep_types::HostId;

/// Clusters' networks come from 10.208.0.0/12: Docker's own pools lie elsewhere, the engines inside hosts are given
/// 10.192.0.0/12 by the host image, and swarms number their overlays from 10.0.0.0 upwards.
const POOL: Ipv4Addr = Ipv4Addr::new(10, 208, 0, 0);
/// 1,022 addresses: a Linux bridge takes at most 1,023 ports.
const PREFIX: u8 = 22;
const CANDIDATES: u32 = 1 << (PREFIX - 12);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subnet {
    base: u32,
    prefix: u8,
}

impl Subnet {
    /// None for a prefix over 32. Bits behind the prefix are dropped.
    pub(crate) fn new(address: Ipv4Addr, prefix: u8) -> Option<Self> {
        (prefix <= 32).then(|| Self { base: address.to_bits() & mask(prefix), prefix })
    }

    pub(crate) fn overlaps(self, other: Self) -> bool {
        let shorter = mask(self.prefix.min(other.prefix));
        self.base & shorter == other.base & shorter
    }

    /// The first address: the bridge's own.
    pub(crate) fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.base.saturating_add(1))
    }

    /// The address of `host`: always the same one, unless it is taken, then the next free one. Hosts of one cluster
    /// have consecutive ids, so those made at the same time, by whichever coordinator, do not meet.
    pub(crate) fn address_for(self, host: HostId, taken: &BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
        // Without the network's address, the gateway and the broadcast address.
        let usable = (!mask(self.prefix)).checked_sub(2).filter(|usable| *usable > 0)?;
        let preferred = u32::try_from(host.counter.wrapping_sub(1) % u64::from(usable)).ok()?;
        (0..usable)
            .map(|step| Ipv4Addr::from_bits(self.base + 2 + (preferred + step) % usable))
            .find(|address| !taken.contains(address))
    }
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from_bits(self.base), self.prefix)
    }
}

/// A text that is not an IPv4 subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotASubnet;

impl FromStr for Subnet {
    type Err = NotASubnet;

    fn from_str(text: &str) -> Result<Self, NotASubnet> {
        let (address, prefix) = text.split_once('/').ok_or(NotASubnet)?;
        let address = address.parse().map_err(|_| NotASubnet)?;
        let prefix = prefix.parse().map_err(|_| NotASubnet)?;
        Self::new(address, prefix).ok_or(NotASubnet)
    }
}

/// The subnet for a new network of `cluster`: the first of the pool that meets nothing taken. The search starts at a
/// place of the cluster's own, so that coordinators of one cluster try the same subnets in the same order (the engine
/// then refuses the second network), and different clusters different ones.
pub(crate) fn free_subnet(cluster: &str, taken: &[Subnet]) -> Option<Subnet> {
    let start = fnv1a(cluster) % CANDIDATES;
    (0..CANDIDATES)
        .map(|step| candidate((start + step) % CANDIDATES))
        .find(|subnet| !taken.iter().any(|other| other.overlaps(*subnet)))
}

fn candidate(index: u32) -> Subnet {
    Subnet { base: POOL.to_bits() + (index << (32 - u32::from(PREFIX))), prefix: PREFIX }
}

/// The routes of `/proc/net/route` that a new network must not shadow. Routes wider than the pool are left out: a
/// VPN's 10.0.0.0/8 would leave nothing, and a network of ours is the more specific one.
pub(crate) fn routed(proc_net_route: &str) -> Vec<Subnet> {
    let hex = |field: &str| u32::from_str_radix(field, 16).ok().map(u32::swap_bytes);
    let route = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (destination, mask) = (hex(fields.get(1)?)?, hex(fields.get(7)?)?);
        let prefix = u8::try_from(mask.leading_ones()).ok().filter(|prefix| *prefix >= 12)?;
        Subnet::new(Ipv4Addr::from_bits(destination), prefix)
    };
    proc_net_route.lines().skip(1).filter_map(route).collect()
}

/// 32-bit FNV-1a: the same on every coordinator and in every version.
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        text.parse().unwrap()
    }

    #[test]
    fn subnets_read_back_what_they_print() {
        assert_eq!(subnet("10.208.4.0/22").to_string(), "10.208.4.0/22");
        assert_eq!(subnet("10.208.5.9/22").to_string(), "10.208.4.0/22");
        for bad in ["", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "fd00::/8"] {
            assert_eq!(bad.parse::<Subnet>(), Err(NotASubnet), "{bad}");
        }
    }

    #[test]
    fn overlap_is_one_inside_the_other() {
        assert!(subnet("10.0.0.0/8").overlaps(subnet("10.208.4.0/22")));
        assert!(subnet("10.208.4.0/22").overlaps(subnet("0.0.0.0/0")));
        assert!(!subnet("10.208.4.0/22").overlaps(subnet("10.208.8.0/22")));
    }

    #[test]
    fn consecutive_hosts_get_consecutive_addresses() {
        let net = subnet("10.208.4.0/22");
        let address =
            |counter| net.address_for(HostId::new(1, counter), &BTreeSet::new()).unwrap().to_string();
        assert_eq!(address(1), "10.208.4.2");
        assert_eq!(address(1021), "10.208.7.254");
        assert_eq!(address(1022), "10.208.4.2");
        assert_eq!(net.gateway().to_string(), "10.208.4.1");
    }

    #[test]
    fn a_taken_address_is_passed_over_until_none_is_left() {
        let net = subnet("10.208.4.0/30");
        let only: Ipv4Addr = "10.208.4.2".parse().unwrap();
        assert_eq!(net.address_for(HostId::new(1, 7), &BTreeSet::new()), Some(only));
        assert_eq!(net.address_for(HostId::new(1, 7), &BTreeSet::from([only])), None);
        assert_eq!(subnet("10.208.4.0/31").address_for(HostId::new(1, 1), &BTreeSet::new()), None);
    }

    #[test]
    fn every_coordinator_of_a_cluster_tries_the_same_subnet_first() {
        let first = free_subnet("c1", &[]).unwrap();
        assert_eq!(free_subnet("c1", &[]), Some(first));
        let second = free_subnet("c1", &[first]).unwrap();
        assert!(!second.overlaps(first));
        assert_eq!(free_subnet("c1", &[subnet("10.0.0.0/8")]), None);
    }

    #[test]
    fn routes_are_read_and_the_widest_ignored() {
        let table = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n\
                     eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\n\
                     tun0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\n\
                     br0\t0004D00A\t00000000\t0001\t0\t0\t0\t00FCFFFF\n\
                     torn";
        assert_eq!(routed(table), [subnet("10.208.4.0/22")]);
    }
}
