//! What a group lets in. Pure.

use std::collections::BTreeSet;

use aws_lc_rs::digest;
use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, SecurityGroup, UserIdGroupPair};

use crate::options::{Opening, Protocol};

/// Who may come in, and where to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rule {
    protocol: Protocol,
    from: u16,
    to: u16,
    source: Source,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// Instances of the same group.
    Members,
    Cidr(String),
}

/// Management, gossip and overlay networks of a swarm.
const SWARM: [(Protocol, u16); 4] =
    [(Protocol::Tcp, 2377), (Protocol::Tcp, 7946), (Protocol::Udp, 7946), (Protocol::Udp, 4789)];

pub(super) fn swarm_rules() -> BTreeSet<Rule> {
    SWARM.iter().map(|(protocol, port)| rule(*protocol, *port, *port, Source::Members)).collect()
}

pub(super) fn opening_rules(openings: &[Opening]) -> BTreeSet<Rule> {
    openings.iter().map(|o| rule(o.protocol, o.from, o.to, Source::Cidr(o.cidr.clone()))).collect()
}

fn rule(protocol: Protocol, from: u16, to: u16, source: Source) -> Rule {
    Rule { protocol, from, to, source }
}

/// A group of equal rules has an equal name.
pub(super) fn opening_name(cluster: &str, openings: &[Opening]) -> String {
    let text: Vec<String> =
        openings.iter().map(|o| format!("{} {} {} {}", o.protocol.label(), o.from, o.to, o.cidr)).collect();
    let digest = digest::digest(&digest::SHA256, text.join("\n").as_bytes());
    format!("skep-{cluster}-open-{}", &hex::encode(digest)[..8])
}

pub(super) fn permission(rule: &Rule, own_id: &str) -> IpPermission {
    let builder = IpPermission::builder()
        .ip_protocol(rule.protocol.label())
        .from_port(i32::from(rule.from))
        .to_port(i32::from(rule.to));
    match &rule.source {
        Source::Members => builder.user_id_group_pairs(UserIdGroupPair::builder().group_id(own_id).build()),
        Source::Cidr(cidr) if cidr.contains(':') => {
            builder.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(cidr).build())
        }
        Source::Cidr(cidr) => builder.ip_ranges(IpRange::builder().cidr_ip(cidr).build()),
    }
    .build()
}

/// The rules of a group, as far as they could be ours.
pub(super) fn rules_of(group: &SecurityGroup, own_id: &str) -> BTreeSet<Rule> {
    let mut rules = BTreeSet::new();
    for permission in group.ip_permissions() {
        let protocol = match permission.ip_protocol() {
            Some("tcp") => Protocol::Tcp,
            Some("udp") => Protocol::Udp,
            _ => continue,
        };
        let port = |port: Option<i32>| port.and_then(|port| u16::try_from(port).ok());
        let (Some(from), Some(to)) = (port(permission.from_port()), port(permission.to_port())) else {
            continue;
        };
        let members = permission.user_id_group_pairs().iter().filter(|pair| pair.group_id() == Some(own_id));
        let v4 = permission.ip_ranges().iter().filter_map(|range| range.cidr_ip());
        let v6 = permission.ipv6_ranges().iter().filter_map(|range| range.cidr_ipv6());
        let cidrs = v4.chain(v6).map(|cidr| Source::Cidr(cidr.to_owned()));
        rules.extend(
            members.map(|_| Source::Members).chain(cidrs).map(|source| rule(protocol, from, to, source)),
        );
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(rules: &BTreeSet<Rule>) -> SecurityGroup {
        let permissions = rules.iter().map(|rule| permission(rule, "sg-1")).collect();
        SecurityGroup::builder().group_id("sg-1").set_ip_permissions(Some(permissions)).build()
    }

    fn opening(cidr: &str) -> Opening {
        Opening { protocol: Protocol::Tcp, from: 22, to: 22, cidr: cidr.to_owned() }
    }

    #[test]
    fn rules_read_back_as_they_are_written() {
        for rules in [swarm_rules(), opening_rules(&[opening("192.0.2.0/24"), opening("2001:db8::/32")])] {
            assert_eq!(rules_of(&group(&rules), "sg-1"), rules);
        }
    }

    #[test]
    fn the_world_reaches_nothing_and_members_the_swarms_ports() {
        let rules = swarm_rules();
        assert!(rules.iter().all(|rule| rule.source == Source::Members));
        let ports: Vec<u16> = rules.iter().map(|rule| rule.from).collect();
        assert_eq!(ports, [2377, 7946, 4789, 7946]);
    }

    #[test]
    fn another_groups_members_are_not_ours() {
        assert_eq!(rules_of(&group(&swarm_rules()), "sg-2"), BTreeSet::new());
    }

    #[test]
    fn equal_openings_share_a_group() {
        let name = |cidr| opening_name("c1", &[opening(cidr)]);
        assert_eq!(name("192.0.2.0/24"), name("192.0.2.0/24"));
        assert_ne!(name("192.0.2.0/24"), name("198.51.100.0/24"));
    }
}
