use skep_driver::{DriverError, ErrorKind};

use super::tests_support::template;
use super::*;

fn options(given: &[(&str, &str)]) -> Result<Options, DriverError> {
    read(&crate::flags::of_template(), &template(given))
}

/// Which options a refusal names, without their prefix.
fn refused(given: &[(&str, &str)]) -> Vec<String> {
    let error = options(given).unwrap_err();
    let ErrorKind::InvalidSpec { violations } = error.kind else { panic!("{error:?}") };
    violations.iter().map(|v| v.field.replace("template.options.amazonec2-", "")).collect()
}

#[test]
fn nothing_given_is_a_small_encrypted_host_in_the_default_network() {
    let options = options(&[]).unwrap();
    assert!(matches!(&options.image, Image::Parameter(path) if path.contains("ubuntu")));
    assert_eq!(options.instance_types, ["t3.micro"]);
    assert_eq!(options.network, Network::Default);
    assert_eq!(options.markets, [Market::OnDemand]);
    assert_eq!(options.groups, Groups::Own(Vec::new()));
    assert_eq!(options.metadata_hops, Some(1));
    let root = options.volume.root.unwrap();
    assert_eq!((root.gigabytes, root.kind.as_str()), (16, "gp3"));
}

#[test]
fn a_launch_template_brings_what_is_not_given() {
    let options = options(&[("launch-template", "web:7")]).unwrap();
    let template = LaunchTemplate { by: TemplateBy::Name("web".into()), version: "7".into() };
    assert_eq!(options.launch_template, Some(template));
    assert_eq!(
        (options.image, options.network, options.groups),
        (Image::OfTemplate, Network::OfTemplate, Groups::Untold)
    );
    assert!(options.instance_types.is_empty() && options.volume.root.is_none());
}

#[test]
fn what_is_given_is_said_beside_a_launch_template() {
    let with = |name, value| options(&[("launch-template", "web"), (name, value)]).unwrap();
    assert_eq!(with("monitoring", "true").metadata_hops, None, "the template's own stays");
    assert_eq!(with("metadata-token-response-hop-limit", "2").metadata_hops, Some(2));
    let root = |name, value| with(name, value).volume.root.unwrap();
    assert_eq!(root("volume-iops", "4000").iops, Some(4_000));
    assert_eq!(root("volume-throughput", "250").throughput, Some(250));
    for (name, value) in [("root-size", "40"), ("volume-type", "gp2"), ("kms-key", "alias/k")] {
        assert!(with(name, value).volume.root.is_some(), "{name}");
    }
}

#[test]
fn lists_are_read_in_order_of_preference() {
    let options =
        options(&[("instance-type", "c7g.large, m7g.large"), ("market", "spot,on-demand")]).unwrap();
    assert_eq!(options.instance_types, ["c7g.large", "m7g.large"]);
    assert_eq!(options.markets, [Market::Spot, Market::OnDemand]);
}

#[test]
fn images_are_told_apart() {
    let image = |given: &[(&str, &str)]| options(given).unwrap().image;
    assert_eq!(image(&[("ami", "ami-1")]), Image::Id("ami-1".into()));
    for given in ["ssm:/x", "resolve:ssm:/x"] {
        assert_eq!(image(&[("ami", given)]), Image::Parameter("/x".into()));
    }
    let newest = Image::Newest { name: "debian-13-*".into(), owner: "136693071363".into() };
    assert_eq!(image(&[("image-name", "debian-13-*"), ("image-owner", "136693071363")]), newest);
}

#[test]
fn a_port_is_opened_to_somebody_named() {
    let options = options(&[("open-port", "22,8000-8010/udp"), ("open-cidr", "192.0.2.0/24")]).unwrap();
    let Groups::Own(openings) = options.groups else { panic!("{:?}", options.groups) };
    let shown: Vec<_> =
        openings.iter().map(|o| (o.protocol.label(), o.from, o.to, o.cidr.as_str())).collect();
    assert_eq!(shown, [("tcp", 22, 22, "192.0.2.0/24"), ("udp", 8000, 8010, "192.0.2.0/24")]);
}

#[test]
fn what_cannot_be_is_refused_by_its_name() {
    for (given, named) in [
        (&[("ami", "ubuntu")][..], "ami"),
        (&[("image-name", "debian-*")], "image-owner"),
        (&[("ami", "ami-1"), ("image-name", "x"), ("image-owner", "self")], "image-name"),
        (&[("zone", "a"), ("subnet-id", "subnet-1")], "zone"),
        (&[("market", "reserved")], "market"),
        (&[("spot-price", "-1")], "spot-price"),
        (&[("open-port", "22")], "open-cidr"),
        (&[("open-port", "0"), ("open-cidr", "192.0.2.0/24")], "open-port"),
        (&[("open-port", "9-8"), ("open-cidr", "192.0.2.0/24")], "open-port"),
        (&[("open-port", "22"), ("open-cidr", "192.0.2.0/33")], "open-cidr"),
        (&[("open-port", "22"), ("open-cidr", "192.0.2.0/24"), ("security-group", "sg-1")], "open-port"),
        (&[("volume-type", "floppy")], "volume-type"),
        (&[("volume-type", "io2")], "volume-iops"),
        (&[("volume-type", "gp2"), ("volume-throughput", "250")], "volume-throughput"),
        (&[("tags", "a,b,c")], "tags"),
        (&[("tags", "skep-cluster,mine")], "tags"),
        (&[("launch-template", "web:newest")], "launch-template"),
        (&[("ssh-user", "ubuntu")], "ssh-user"),
        (&[("userdata", "x.yaml")], "userdata"),
    ] {
        assert_eq!(refused(given), [named], "{given:?}");
    }
}

#[test]
fn old_flags_are_refused_with_what_to_use_instead() {
    let error = options(&[("block-duration-minutes", "60")]).unwrap_err();
    assert!(error.message.contains("amazonec2-market"), "{error}");
}
