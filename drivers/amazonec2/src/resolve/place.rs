//! Which zones or subnets, and which network they are in.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Subnet;
use skep_driver::DriverError;
use skep_driver::flags::invalid;

use crate::client::{Ec2, filter};
use crate::errors::{Effect, refusal};
use crate::options::{Groups, Network, Options};
use crate::plan::Place;

#[derive(Debug)]
pub(super) struct Found {
    pub(super) places: Vec<Place>,
    pub(super) vpc: Option<String>,
}

pub(super) async fn find(ec2: &Ec2, options: &Options) -> Result<Found, DriverError> {
    match &options.network {
        Network::OfTemplate => {
            // A group is made in a network, and which one only the launch template knows.
            if matches!(&options.groups, Groups::Own(_)) {
                return Err(invalid("amazonec2-vpc-id", "or a subnet must be given to open ports"));
            }
            Ok(Found { places: vec![Place::Any], vpc: None })
        }
        Network::Default => Ok(Found { places: vec![Place::Any], vpc: Some(default_vpc(ec2).await?) }),
        Network::Zones(zones) => {
            let places = zones.iter().map(|zone| Place::Zone(full_zone(zone, &ec2.region))).collect();
            Ok(Found { places, vpc: Some(default_vpc(ec2).await?) })
        }
        Network::Subnets(ids) => {
            let known = subnets(ec2, "subnet-id", ids).await?;
            in_order(ids, &known)
        }
        Network::Vpc { id, zones } => {
            let known = subnets(ec2, "vpc-id", std::slice::from_ref(id)).await?;
            let zones: Vec<String> = zones.iter().map(|zone| full_zone(zone, &ec2.region)).collect();
            let places = one_a_zone(&known, &zones)?;
            Ok(Found { places, vpc: Some(id.clone()) })
        }
    }
}

async fn default_vpc(ec2: &Ec2) -> Result<String, DriverError> {
    let asked = ec2.sdk.describe_vpcs().filters(filter("is-default", ["true"]));
    let answer =
        asked.send().await.map_err(refusal("EC2 did not name the default network", Effect::Reads))?;
    let id = answer.vpcs().first().and_then(|vpc| vpc.vpc_id());
    let missing = || invalid("amazonec2-subnet-id", "must be given: this region has no default network");
    id.map(str::to_owned).ok_or_else(missing)
}

async fn subnets(ec2: &Ec2, by: &str, values: &[String]) -> Result<Vec<Subnet>, DriverError> {
    let mut pages = ec2.sdk.describe_subnets().filters(filter(by, values)).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(subnet) = pages.next().await {
        found.push(subnet.map_err(refusal("EC2 did not list the subnets", Effect::Reads))?);
    }
    Ok(found)
}

/// As given, all there, and all in one network: groups are made in one.
fn in_order(ids: &[String], known: &[Subnet]) -> Result<Found, DriverError> {
    let mut vpc: Option<&str> = None;
    for id in ids {
        let subnet = known.iter().find(|subnet| subnet.subnet_id() == Some(id));
        let subnet =
            subnet.ok_or_else(|| invalid("amazonec2-subnet-id", format!("there is no subnet {id} here")))?;
        if vpc.is_some_and(|first| subnet.vpc_id() != Some(first)) {
            return Err(invalid("amazonec2-subnet-id", "names subnets of several networks"));
        }
        vpc = subnet.vpc_id();
    }
    let places = ids.iter().cloned().map(Place::Subnet).collect();
    Ok(Found { places, vpc: vpc.map(str::to_owned) })
}

/// A network may have many subnets in a zone: the one whose id comes first, so that a repeated create asks the same.
fn one_a_zone(known: &[Subnet], zones: &[String]) -> Result<Vec<Place>, DriverError> {
    let mut by_zone: BTreeMap<&str, &str> = BTreeMap::new();
    for subnet in known {
        if let (Some(zone), Some(id)) = (subnet.availability_zone(), subnet.subnet_id()) {
            let first = by_zone.entry(zone).or_insert(id);
            *first = (*first).min(id);
        }
    }
    if by_zone.is_empty() {
        return Err(invalid("amazonec2-vpc-id", "names a network without subnets"));
    }
    if zones.is_empty() {
        return Ok(by_zone.into_values().map(|id| Place::Subnet(id.to_owned())).collect());
    }
    let of_zone = |zone: &String| match by_zone.get(zone.as_str()) {
        Some(id) => Ok(Place::Subnet((*id).to_owned())),
        None => Err(invalid("amazonec2-zone", format!("the network has no subnet in {zone}"))),
    };
    zones.iter().map(of_zone).collect()
}

/// Docker Machine names zones by their last letter.
fn full_zone(zone: &str, region: &str) -> String {
    if zone.len() == 1 { format!("{region}{zone}") } else { zone.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(id: &str, zone: &str, vpc: &str) -> Subnet {
        Subnet::builder().subnet_id(id).availability_zone(zone).vpc_id(vpc).build()
    }

    #[test]
    fn a_zone_is_named_by_its_letter_or_in_full() {
        assert_eq!(full_zone("b", "eu-west-1"), "eu-west-1b");
        assert_eq!(full_zone("eu-west-1c", "eu-west-1"), "eu-west-1c");
    }

    #[test]
    fn a_network_gives_one_subnet_a_zone_always_the_same() {
        let known =
            [subnet("subnet-2", "r-a", "v"), subnet("subnet-1", "r-a", "v"), subnet("subnet-3", "r-b", "v")];
        let ids = |zones: &[String]| one_a_zone(&known, zones).unwrap();
        let of = |id: &str| Place::Subnet(id.to_owned());
        assert_eq!(ids(&[]), [of("subnet-1"), of("subnet-3")]);
        assert_eq!(ids(&["r-b".to_owned(), "r-a".to_owned()]), [of("subnet-3"), of("subnet-1")]);
        assert!(one_a_zone(&known, &["r-c".to_owned()]).is_err());
    }

    #[test]
    fn subnets_keep_their_order_and_share_a_network() {
        let known = [subnet("s1", "r-a", "v1"), subnet("s2", "r-b", "v1"), subnet("s3", "r-c", "v2")];
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let found = in_order(&ids(&["s2", "s1"]), &known).unwrap();
        assert_eq!(found.vpc.as_deref(), Some("v1"));
        assert_eq!(found.places, [Place::Subnet("s2".into()), Place::Subnet("s1".into())]);
        assert!(in_order(&ids(&["s1", "s3"]), &known).is_err());
        assert!(in_order(&ids(&["s9"]), &known).is_err());
    }
}
