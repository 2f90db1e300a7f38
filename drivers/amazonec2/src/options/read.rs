//! From a template's options to [`Options`]. Every wrong value is named by its flag.

use std::collections::BTreeMap;
use std::net::IpAddr;

use skep_driver::flags::{self, Flags, field, invalid};
use skep_driver::{DriverError, ErrorKind};
use skep_types::{FieldViolation, FlagDescription, Template};

use super::{
    Groups, Image, LaunchTemplate, Market, Network, Opening, Options, Protocol, PublicAddress, RootVolume,
    TemplateBy, Volume,
};
use crate::flags::instead_of;

/// Ubuntu 24.04 of its publisher, always the current one.
const DEFAULT_IMAGE: &str =
    "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id";
const DEFAULT_TYPE: &str = "t3.micro";
const DEFAULT_ROOT_GB: u64 = 16;
/// EC2 takes 50 tags a resource; skep adds four.
const TAGS_MAX: usize = 40;
/// One rule each, of the 60 that EC2 takes a group by default.
const OPENINGS_MAX: usize = 50;

pub(crate) fn read(described: &[FlagDescription], template: &Template) -> Result<Options, DriverError> {
    refuse_what_means_nothing(template)?;
    let flags = flags::read(described, template)?;
    let launch_template = launch_template(&flags)?;
    let inherits = launch_template.is_some();
    Ok(Options {
        image: image(&flags, inherits)?,
        instance_types: instance_types(&flags, inherits),
        network: network(&flags, inherits)?,
        markets: markets(&flags)?,
        spot_price: spot_price(&flags)?,
        groups: groups(&flags, inherits)?,
        public_address: match flags.boolean("amazonec2-private-address-only") {
            true => PublicAddress::Never,
            false => PublicAddress::AsSubnet,
        },
        ipv6_addresses: small(&flags, "amazonec2-ipv6-address-count", 1, 50)?,
        volume: volume(&flags, inherits)?,
        profile: text(&flags, "amazonec2-iam-instance-profile"),
        key_pair: text(&flags, "amazonec2-keypair-name"),
        tags: tags(&flags)?,
        monitoring: flags.boolean("amazonec2-monitoring"),
        ebs_optimized: flags.boolean("amazonec2-use-ebs-optimized-instance"),
        metadata_hops: small(&flags, "amazonec2-metadata-token-response-hop-limit", 1, 64)?
            .or((!inherits).then_some(1)),
        launch_template,
    })
}

fn refuse_what_means_nothing(template: &Template) -> Result<(), DriverError> {
    let violations: Vec<FieldViolation> =
        template.options.keys().filter_map(|name| instead_of(name)).collect();
    if violations.is_empty() {
        return Ok(());
    }
    let listed: Vec<String> = violations.iter().map(|v| format!("{} {}", v.field, v.description)).collect();
    Err(DriverError::new(ErrorKind::InvalidSpec { violations }, listed.join("; ")))
}

fn text(flags: &Flags, name: &str) -> Option<String> {
    flags.text(name).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn list(flags: &Flags, name: &str) -> Vec<String> {
    let joined = flags.text(name).unwrap_or_default();
    joined.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn small(flags: &Flags, name: &str, min: u64, max: u64) -> Result<Option<i32>, DriverError> {
    Ok(flags.integer(name, min..=max)?.and_then(|value| i32::try_from(value).ok()))
}

fn image(flags: &Flags, inherits: bool) -> Result<Image, DriverError> {
    let named = (text(flags, "amazonec2-image-name"), text(flags, "amazonec2-image-owner"));
    match (text(flags, "amazonec2-ami"), named) {
        (Some(_), (Some(_), _)) => {
            Err(invalid("amazonec2-image-name", "and amazonec2-ami exclude each other"))
        }
        (Some(ami), _) if ami.starts_with("ami-") => Ok(Image::Id(ami)),
        (Some(ami), _) => match ami.trim_start_matches("resolve:").strip_prefix("ssm:") {
            Some(path) if !path.is_empty() => Ok(Image::Parameter(path.to_owned())),
            _ => Err(invalid("amazonec2-ami", "must begin with ami- or with ssm:")),
        },
        (None, (Some(name), Some(owner))) => Ok(Image::Newest { name, owner }),
        // Anybody may publish an image of any name.
        (None, (Some(_), None)) => {
            Err(invalid("amazonec2-image-owner", "must say whose images image-name means"))
        }
        (None, (None, Some(_))) => {
            Err(invalid("amazonec2-image-name", "is missing beside amazonec2-image-owner"))
        }
        (None, (None, None)) if inherits => Ok(Image::OfTemplate),
        (None, (None, None)) => Ok(Image::Parameter(DEFAULT_IMAGE.to_owned())),
    }
}

fn instance_types(flags: &Flags, inherits: bool) -> Vec<String> {
    let given = list(flags, "amazonec2-instance-type");
    if given.is_empty() && !inherits { vec![DEFAULT_TYPE.to_owned()] } else { given }
}

fn network(flags: &Flags, inherits: bool) -> Result<Network, DriverError> {
    let zones = list(flags, "amazonec2-zone");
    let subnets = list(flags, "amazonec2-subnet-id");
    match (text(flags, "amazonec2-vpc-id"), subnets.is_empty(), zones.is_empty()) {
        (_, false, false) => Err(invalid("amazonec2-zone", "and amazonec2-subnet-id exclude each other")),
        (_, false, true) => Ok(Network::Subnets(subnets)),
        (Some(id), true, _) => Ok(Network::Vpc { id, zones }),
        (None, true, false) => Ok(Network::Zones(zones)),
        (None, true, true) if inherits => Ok(Network::OfTemplate),
        (None, true, true) => Ok(Network::Default),
    }
}

fn launch_template(flags: &Flags) -> Result<Option<LaunchTemplate>, DriverError> {
    let Some(given) = text(flags, "amazonec2-launch-template") else { return Ok(None) };
    let (name, version) = given.split_once(':').unwrap_or((&given, "$Default"));
    let known = matches!(version, "$Default" | "$Latest") || version.parse::<u32>().is_ok();
    if name.is_empty() || !known {
        let rule = "must be NAME or lt-…, and its version a number, $Default or $Latest";
        return Err(invalid("amazonec2-launch-template", rule));
    }
    let by =
        if name.starts_with("lt-") { TemplateBy::Id(name.into()) } else { TemplateBy::Name(name.into()) };
    Ok(Some(LaunchTemplate { by, version: version.to_owned() }))
}

fn markets(flags: &Flags) -> Result<Vec<Market>, DriverError> {
    let given = list(flags, "amazonec2-market");
    let spot = flags.boolean("amazonec2-request-spot-instance");
    if given.is_empty() {
        return Ok(vec![if spot { Market::Spot } else { Market::OnDemand }]);
    }
    let market = |name: &String| match name.as_str() {
        "on-demand" => Ok(Market::OnDemand),
        "spot" => Ok(Market::Spot),
        _ => Err(invalid("amazonec2-market", "knows on-demand and spot")),
    };
    given.iter().map(market).collect()
}

fn spot_price(flags: &Flags) -> Result<Option<String>, DriverError> {
    let Some(price) = text(flags, "amazonec2-spot-price") else { return Ok(None) };
    match price.parse::<f64>() {
        Ok(dollars) if dollars.is_finite() && dollars > 0.0 => Ok(Some(price)),
        _ => Err(invalid("amazonec2-spot-price", "must be a number of dollars above 0")),
    }
}

fn groups(flags: &Flags, inherits: bool) -> Result<Groups, DriverError> {
    let given = list(flags, "amazonec2-security-group");
    let readonly = flags.boolean("amazonec2-security-group-readonly");
    let openings = openings(flags)?;
    if !openings.is_empty() && (!given.is_empty() || readonly) {
        return Err(invalid(
            "amazonec2-open-port",
            "changes no group of yours; open the port in the group itself",
        ));
    }
    Ok(match (given.is_empty(), readonly || (inherits && openings.is_empty())) {
        (false, _) => Groups::Given(given),
        (true, true) => Groups::Untold,
        (true, false) => Groups::Own(openings),
    })
}

fn openings(flags: &Flags) -> Result<Vec<Opening>, DriverError> {
    let ports = list(flags, "amazonec2-open-port");
    let cidrs = list(flags, "amazonec2-open-cidr");
    if ports.is_empty() != cidrs.is_empty() {
        return Err(invalid(
            "amazonec2-open-cidr",
            "and amazonec2-open-port need each other: say who may come in",
        ));
    }
    if ports.len() * cidrs.len() > OPENINGS_MAX {
        return Err(invalid(
            "amazonec2-open-port",
            format!("times the networks must be at most {OPENINGS_MAX}"),
        ));
    }
    let mut openings = Vec::new();
    for port in &ports {
        let (protocol, from, to) = range(port).ok_or_else(|| {
            invalid(
                "amazonec2-open-port",
                format!("{port:?} is not written like 22, 53/udp or 8000-8010/tcp"),
            )
        })?;
        for cidr in &cidrs {
            if !is_cidr(cidr) {
                return Err(invalid(
                    "amazonec2-open-cidr",
                    format!("{cidr:?} is not written like 192.0.2.0/24"),
                ));
            }
            openings.push(Opening { protocol, from, to, cidr: cidr.clone() });
        }
    }
    openings.sort();
    openings.dedup();
    Ok(openings)
}

fn range(port: &str) -> Option<(Protocol, u16, u16)> {
    let (ports, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    let protocol = match protocol {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return None,
    };
    let (from, to) = ports.split_once('-').unwrap_or((ports, ports));
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (0 < from && from <= to).then_some((protocol, from, to))
}

pub(super) fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    match (address.parse::<IpAddr>(), bits.parse::<u8>()) {
        (Ok(IpAddr::V4(_)), Ok(bits)) => bits <= 32,
        (Ok(IpAddr::V6(_)), Ok(bits)) => bits <= 128,
        _ => false,
    }
}

fn volume(flags: &Flags, inherits: bool) -> Result<Volume, DriverError> {
    let size = flags.integer("amazonec2-root-size", 1..=65_536)?;
    let kind = text(flags, "amazonec2-volume-type");
    let kms_key = text(flags, "amazonec2-kms-key");
    let device = text(flags, "amazonec2-device-name");
    let iops = small(flags, "amazonec2-volume-iops", 100, 256_000)?;
    let throughput = small(flags, "amazonec2-volume-throughput", 125, 2_000)?;
    let described = size.is_some() || kind.is_some() || kms_key.is_some();
    if inherits && !described && iops.is_none() && throughput.is_none() {
        return Ok(Volume { root: None, device });
    }
    let kind = kind.unwrap_or_else(|| "gp3".to_owned());
    if !["gp3", "gp2", "io1", "io2"].contains(&kind.as_str()) {
        return Err(invalid("amazonec2-volume-type", "must be gp3, gp2, io1 or io2"));
    }
    if throughput.is_some() && kind != "gp3" {
        return Err(invalid("amazonec2-volume-throughput", "is only gp3's to have"));
    }
    if iops.is_none() && kind.starts_with("io") {
        return Err(invalid("amazonec2-volume-iops", format!("must be given for {kind}")));
    }
    let gigabytes = i32::try_from(size.unwrap_or(DEFAULT_ROOT_GB)).unwrap_or(i32::MAX);
    Ok(Volume { root: Some(RootVolume { gigabytes, kind, iops, throughput, kms_key }), device })
}

fn tags(flags: &Flags) -> Result<BTreeMap<String, String>, DriverError> {
    let Some(joined) = text(flags, "amazonec2-tags") else { return Ok(BTreeMap::new()) };
    let items: Vec<&str> = joined.split(',').collect();
    if items.len() % 2 == 1 || items.len() / 2 > TAGS_MAX {
        return Err(invalid(
            "amazonec2-tags",
            format!("must be at most {TAGS_MAX} pairs: key1,value1,key2,value2"),
        ));
    }
    let pairs = items.chunks_exact(2).map(|pair| (pair[0].trim().to_owned(), pair[1].trim().to_owned()));
    let tags: BTreeMap<String, String> = pairs.collect();
    let ours = |key: &&String| {
        key.starts_with("skep-") || key.starts_with("aws:") || *key == "Name" || key.is_empty()
    };
    match tags.keys().find(ours) {
        Some(key) => {
            let violations = vec![FieldViolation {
                field: field("amazonec2-tags"),
                description: format!("the key {key:?} is not free to give"),
            }];
            Err(DriverError::new(
                ErrorKind::InvalidSpec { violations },
                format!("the tag {key:?} cannot be given"),
            ))
        }
        None => Ok(tags),
    }
}
