//! Security groups: the cluster's own, and those a template names.
//!
//! The own group is closed to the world. Agents dial out; only members of the group reach each other, on the ports of
//! a swarm. What a template opens stands in a second group, so that templates of one cluster do not open each other.

mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::client::{Ec2, filter};
use crate::errors::{Effect, refusal};
use crate::options::Opening;
use crate::tags;
use aws_sdk_ec2::types::{ResourceType, SecurityGroup};
use rules::{Rule, opening_name, opening_rules, permission, rules_of, swarm_rules};
use skep_driver::flags::invalid;
use skep_driver::{DriverError, ErrorKind};

/// Pauses before the rounds. Another coordinator may make the group at the same moment, and a new group is not seen
/// everywhere at once; the first two rounds are for one that is made and seen as it should be.
const PAUSES_MS: [u64; 8] = [0, 0, 50, 100, 200, 400, 800, 1_600];

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
        for pause in PAUSES_MS {
            tokio::time::sleep(Duration::from_millis(pause)).await;
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
        let mut asked = ec2.sdk.describe_security_groups().filters(filter("group-name", [name]));
        if let Some(vpc) = vpc {
            asked = asked.filters(filter("vpc-id", [vpc]));
        }
        let answer =
            asked.send().await.map_err(refusal("EC2 did not list the security groups", Effect::Reads))?;
        match answer.security_groups() {
            [one] => ids.extend(one.group_id().map(str::to_owned)),
            [] => return Err(invalid("amazonec2-security-group", format!("there is no group {name} here"))),
            _ => {
                let several = format!("several groups are called {name}; name one by its id");
                return Err(invalid("amazonec2-security-group", several));
            }
        }
    }
    Ok(ids)
}
