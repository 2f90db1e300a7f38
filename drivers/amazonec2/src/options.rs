//! What a template asks for, as typed values. Pure: whether images, subnets and groups exist is not known here.

mod read;

use std::collections::BTreeMap;

pub(crate) use read::read;

/// A template's options, complete and within bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) image: Image,
    /// The first is preferred. Empty where a launch template brings it.
    pub(crate) instance_types: Vec<String>,
    pub(crate) network: Network,
    pub(crate) launch_template: Option<LaunchTemplate>,
    /// The first is preferred.
    pub(crate) markets: Vec<Market>,
    pub(crate) spot_price: Option<String>,
    pub(crate) groups: Groups,
    pub(crate) public_address: PublicAddress,
    pub(crate) ipv6_addresses: Option<i32>,
    pub(crate) volume: Volume,
    pub(crate) profile: Option<String>,
    pub(crate) key_pair: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) monitoring: bool,
    pub(crate) ebs_optimized: bool,
    /// None where a launch template may say it.
    pub(crate) metadata_hops: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Image {
    Id(String),
    /// A public parameter's path, which EC2 resolves itself.
    Parameter(String),
    /// The newest of `owner` whose name fits.
    Newest {
        name: String,
        owner: String,
    },
    /// The launch template brings it.
    OfTemplate,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Network {
    /// The default network, and EC2 chooses the zone.
    Default,
    /// Zones of the default network.
    Zones(Vec<String>),
    Subnets(Vec<String>),
    /// Subnets of this network, in these zones; in any, where none are named.
    Vpc {
        id: String,
        zones: Vec<String>,
    },
    OfTemplate,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LaunchTemplate {
    pub(crate) by: TemplateBy,
    pub(crate) version: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TemplateBy {
    Id(String),
    Name(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Market {
    OnDemand,
    Spot,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Groups {
    /// A group of the cluster's own, closed but for these openings.
    Own(Vec<Opening>),
    /// Ids or names of groups that are taken as they are.
    Given(Vec<String>),
    /// The launch template's, or the network's default group.
    Untold,
}

/// A range of ports, open to networks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Opening {
    pub(crate) protocol: Protocol,
    pub(crate) from: u16,
    pub(crate) to: u16,
    pub(crate) cidr: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PublicAddress {
    /// As the subnet or the launch template says.
    AsSubnet,
    Never,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Volume {
    /// None where a launch template brings the volumes.
    pub(crate) root: Option<RootVolume>,
    pub(crate) device: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RootVolume {
    pub(crate) gigabytes: i32,
    pub(crate) kind: String,
    pub(crate) iops: Option<i32>,
    pub(crate) throughput: Option<i32>,
    pub(crate) kms_key: Option<String>,
}

#[cfg(test)]
pub(crate) mod tests_support {
    //! Options as a test wants them.

    use std::collections::BTreeMap;

    use skep_types::Template;

    use super::{Options, read};

    pub(crate) fn template(given: &[(&str, &str)]) -> Template {
        let full = |(name, value): &(&str, &str)| (format!("amazonec2-{name}"), (*value).to_owned());
        Template {
            driver: "amazonec2".parse().unwrap(),
            account: "aws".parse().unwrap(),
            options: given.iter().map(full).collect(),
            labels: BTreeMap::new(),
        }
    }

    pub(crate) fn options(given: &[(&str, &str)]) -> Options {
        read(&crate::flags::of_template(), &template(given)).unwrap()
    }
}

#[cfg(test)]
mod tests;
