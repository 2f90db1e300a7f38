//! Security groups: the cluster's own, and those a template names.
//!
//! The own group is closed to the world. Agents dial out; only members of the group reach each other, on the ports of
//! a swarm. What a template opens stands in a second group, so that templates of one cluster do not open each other.

use aws_lc_rs::digest;
use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, ResourceType, SecurityGroup, UserIdGroupPair};
use skep_driver::flags::invalid;
use skep_driver::{DriverError, ErrorKind};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::client::{Ec2, filter};
use crate::errors::{Effect, refusal};
use crate::options::{Opening, Protocol};
use crate::plan::hex;
use crate::tags;

/// Another coordinator may make the group at the same moment, and a new group is not seen everywhere at once.
const ROUNDS: usize = 6;
const ROUND: Duration = Duration::from_millis(500);

/// Who may come in, and where to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Rule {
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

fn swarm_rules() -> BTreeSet<Rule> {
    SWARM.iter().map(|(protocol, port)| rule(*protocol, *port, *port, Source::Members)).collect()
}

fn opening_rules(openings: &[Opening]) -> BTreeSet<Rule> {
    openings.iter().map(|o| rule(o.protocol, o.from, o.to, Source::Cidr(o.cidr.clone()))).collect()
}

fn rule(protocol: Protocol, from: u16, to: u16, source: Source) -> Rule {
    Rule { protocol, from, to, source }
}

/// A group of equal rules has an equal name.
fn opening_name(cluster: &str, openings: &[Opening]) -> String {
    let text: Vec<String> =
        openings.iter().map(|o| format!("{} {} {} {}", o.protocol.label(), o.from, o.to, o.cidr)).collect();
    let digest = digest::digest(&digest::SHA256, text.join("\n").as_bytes());
    format!("skep-{cluster}-open-{}", &hex(digest.as_ref())[..8])
}

/// The ids of the cluster's own groups in a network, made where they are missing.
pub(crate) async fn own(
    ec2: &Ec2,
    cluster: &str,
    vpc: Option<&str>,
    openings: &[Opening],
) -> Result<Vec<String>, DriverError> {
    let vpc = vpc.ok_or_else(|| invalid("amazonec2-vpc-id", "must be given for a group to be made in it"))?;
    let mut wanted = vec![(format!("skep-{cluster}"), swarm_rules())];
    if !openings.is_empty() {
        wanted.push((opening_name(cluster, openings), opening_rules(openings)));
    }
    let mut ids = Vec::new();
    for (name, rules) in wanted {
        ids.push(Group { ec2, cluster, vpc, name }.ensure(&rules).await?);
    }
    Ok(ids)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Added {
    All,
    /// To be looked at.
    Perhaps,
}

struct Group<'a> {
    ec2: &'a Ec2,
    cluster: &'a str,
    vpc: &'a str,
    name: String,
}

impl Group<'_> {
    async fn ensure(&self, rules: &BTreeSet<Rule>) -> Result<String, DriverError> {
        for _ in 0..ROUNDS {
            let Some(group) = self.find().await? else {
                self.create().await?;
                continue;
            };
            let id = group.group_id().unwrap_or_default().to_owned();
            let present = rules_of(&group, &id);
            let missing: Vec<&Rule> = rules.difference(&present).collect();
            if missing.is_empty() {
                return Ok(id);
            }
            if self.authorize(&id, &missing).await? == Added::All {
                return Ok(id);
            }
            tokio::time::sleep(ROUND).await;
        }
        Err(DriverError::new(
            ErrorKind::Unavailable,
            format!("the security group {} is not as it was made", self.name),
        ))
    }

    async fn find(&self) -> Result<Option<SecurityGroup>, DriverError> {
        let asked = self.ec2.sdk.describe_security_groups().filters(filter("vpc-id", [self.vpc]));
        let asked = asked.filters(filter("group-name", [&self.name]));
        let answer =
            asked.send().await.map_err(refusal("EC2 did not list the security groups", Effect::Reads))?;
        let Some(group) = answer.security_groups().first() else { return Ok(None) };
        if tags::value(group.tags(), tags::CLUSTER) == Some(self.cluster) {
            return Ok(Some(group.clone()));
        }
        let taken = format!("is needed: a group of somebody else is already called {}", self.name);
        Err(invalid("amazonec2-security-group", taken))
    }

    async fn create(&self) -> Result<(), DriverError> {
        let own = BTreeMap::from([
            (tags::CLUSTER.to_owned(), self.cluster.to_owned()),
            (tags::NAME.to_owned(), self.name.clone()),
        ]);
        let request = self.ec2.sdk.create_security_group().group_name(&self.name).vpc_id(self.vpc);
        let request = request
            .description("Hosts made by skep")
            .tag_specifications(tags::specification(ResourceType::SecurityGroup, &own));
        match request.send().await.map_err(refusal("EC2 did not make the security group", Effect::Changes)) {
            Ok(_) => Ok(()),
            // Made by another coordinator meanwhile, or perhaps by us: the next round looks.
            Err(refused) if refused.code == "InvalidGroup.Duplicate" => Ok(()),
            Err(refused) if refused.error.kind == ErrorKind::Ambiguous => Ok(()),
            Err(refused) => Err(refused.error),
        }
    }

    async fn authorize(&self, id: &str, missing: &[&Rule]) -> Result<Added, DriverError> {
        let rules = missing.iter().map(|rule| permission(rule, id)).collect();
        let request =
            self.ec2.sdk.authorize_security_group_ingress().group_id(id).set_ip_permissions(Some(rules));
        match request.send().await.map_err(refusal("EC2 did not add rules to the group", Effect::Changes)) {
            Ok(_) => Ok(Added::All),
            // Another coordinator adds them too, or the group is not seen yet: the next round looks again.
            Err(refused) if refused.code == "InvalidPermission.Duplicate" => Ok(Added::Perhaps),
            Err(refused) if refused.code == "InvalidGroup.NotFound" => Ok(Added::Perhaps),
            Err(refused) if refused.error.kind == ErrorKind::Ambiguous => Ok(Added::Perhaps),
            Err(refused) => Err(refused.error),
        }
    }
}

fn permission(rule: &Rule, own_id: &str) -> IpPermission {
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
fn rules_of(group: &SecurityGroup, own_id: &str) -> BTreeSet<Rule> {
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

/// Ids of the groups a template names, by id or by name.
pub(crate) async fn named(
    ec2: &Ec2,
    named: &[String],
    vpc: Option<&str>,
) -> Result<Vec<String>, DriverError> {
    let mut ids = Vec::new();
    for name in named {
        if name.starts_with("sg-") {
            ids.push(name.clone());
            continue;
        }
        let asked = ec2.sdk.describe_security_groups().filters(filter("group-name", [name]));
        let asked =
            asked.set_filters(vpc.map(|vpc| vec![filter("group-name", [name]), filter("vpc-id", [vpc])]));
        let answer =
            asked.send().await.map_err(refusal("EC2 did not list the security groups", Effect::Reads))?;
        match answer.security_groups() {
            [one] => ids.extend(one.group_id().map(str::to_owned)),
            [] => return Err(invalid("amazonec2-security-group", format!("there is no group {name} here"))),
            _ => {
                return Err(invalid("amazonec2-security-group", format!("several groups are called {name}")));
            }
        }
    }
    Ok(ids)
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
