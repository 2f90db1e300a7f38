use skep_driver::{Bootstrap, Slot};
use skep_types::{HostId, IntentId, Secret};

use super::*;
use crate::options::tests_support::{options, template};

fn bootstrap(config: &str) -> skep_driver::Bootstrap {
    Bootstrap {
        agent_urls: vec!["https://192.0.2.1/agent".into()],
        agent_sha256: "0".repeat(64),
        agent_config: Secret::new(config),
    }
}

fn intent(slots: u64) -> CreateIntent {
    let slot = |n| Slot {
        name: format!("web-{n}"),
        host: HostId::new(1, n),
        incarnation: 1,
        bootstrap: bootstrap("token = 1"),
    };
    CreateIntent {
        cluster: "c1".into(),
        intent: IntentId::new(1, 7),
        token: "c1-i1-7".into(),
        template: template(&[]),
        slots: (1..=slots).map(slot).collect(),
        lost: false,
        inherited: None,
    }
}

fn resolved() -> Resolved {
    Resolved {
        image: Some("ami-1".into()),
        root_device: Some("/dev/xvda".into()),
        places: vec![Place::Any],
        groups: vec!["sg-1".into()],
    }
}

fn built(given: &[(&str, &str)], slots: u64, place: Place, number: usize) -> RunInstancesInputBuilder {
    let (intent, options, resolved) = (intent(slots), options(given), resolved());
    let attempt = Attempt { market: options.markets[0], instance_type: Some("t3.micro".into()), place };
    let wanted = intent.slots.len();
    let order =
        Order { intent: &intent, options: &options, resolved: &resolved, attempt: &attempt, number, wanted };
    request(&order).unwrap()
}

fn tags_of(request: &RunInstancesInputBuilder) -> Vec<(String, Vec<String>)> {
    let specs = request.get_tag_specifications().as_deref().unwrap();
    let shown = |tag: &aws_sdk_ec2::types::Tag| format!("{}={}", tag.key().unwrap(), tag.value().unwrap());
    let of = |spec: &aws_sdk_ec2::types::TagSpecification| {
        (spec.resource_type().unwrap().to_string(), spec.tags().iter().map(shown).collect())
    };
    specs.iter().map(of).collect()
}

#[test]
fn a_batch_is_one_request_with_the_intents_token() {
    let request = built(&[], 100, Place::Any, 0);
    assert_eq!(request.get_client_token().as_deref(), Some("c1-i1-7"));
    assert_eq!((*request.get_min_count(), *request.get_max_count()), (Some(1), Some(100)));
    assert_eq!(request.get_security_group_ids().as_deref().unwrap(), ["sg-1"]);
    assert_ne!(built(&[], 100, Place::Any, 1).get_client_token(), request.get_client_token());
}

#[test]
fn instances_volumes_and_interfaces_are_tagged_from_the_start() {
    let batch = tags_of(&built(&[("tags", "team,blue")], 2, Place::Any, 0));
    let kinds: Vec<&str> = batch.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["instance", "volume", "network-interface"]);
    for (_, tags) in &batch {
        assert_eq!(tags, &["Name=skep-i1-7", "skep-cluster=c1", "skep-intent=i1-7", "team=blue"]);
    }
    let single = tags_of(&built(&[], 1, Place::Any, 0));
    assert_eq!(single[0].1, ["Name=web-1", "skep-cluster=c1", "skep-host=h1-1", "skep-intent=i1-7"]);
}

#[test]
fn volumes_are_encrypted_and_metadata_wants_a_token() {
    let request = built(&[("root-size", "40"), ("kms-key", "alias/k")], 1, Place::Any, 0);
    let mapping = &request.get_block_device_mappings().as_ref().unwrap()[0];
    let ebs = mapping.ebs().unwrap();
    assert_eq!(mapping.device_name(), Some("/dev/xvda"));
    assert_eq!(
        (ebs.encrypted(), ebs.volume_size(), ebs.volume_type()),
        (Some(true), Some(40), Some(&VolumeType::Gp3))
    );
    assert_eq!((ebs.kms_key_id(), ebs.delete_on_termination()), (Some("alias/k"), Some(true)));
    let metadata = request.get_metadata_options().as_ref().unwrap();
    assert_eq!(metadata.http_tokens(), Some(&HttpTokensState::Required));
    assert_eq!(metadata.http_put_response_hop_limit(), Some(1));
    let request = built(&[("launch-template", "web")], 1, Place::Any, 0);
    assert!(request.get_block_device_mappings().is_none(), "the template's own volumes");
    let metadata = request.get_metadata_options().as_ref().unwrap();
    assert_eq!(metadata.http_tokens(), Some(&HttpTokensState::Required));
    assert_eq!(metadata.http_put_response_hop_limit(), None, "the template's own limit");
}

#[test]
fn user_data_is_the_script_in_base64() {
    let request = built(&[], 1, Place::Any, 0);
    let script = STANDARD.decode(request.get_user_data().as_deref().unwrap()).unwrap();
    assert!(script.starts_with(b"#!/bin/sh"));
}

#[test]
fn spot_and_zone_come_from_the_attempt() {
    let request = built(&[("market", "spot"), ("spot-price", "0.05")], 1, Place::Zone("r-a".into()), 0);
    let market = request.get_instance_market_options().as_ref().unwrap();
    assert_eq!(market.market_type(), Some(&MarketType::Spot));
    assert_eq!(market.spot_options().unwrap().max_price(), Some("0.05"));
    assert_eq!(request.get_placement().as_ref().unwrap().availability_zone(), Some("r-a"));
}

#[test]
fn without_public_addresses_the_interface_is_spelled_out() {
    let request = built(&[("private-address-only", "true")], 1, Place::Subnet("subnet-1".into()), 0);
    let interface = &request.get_network_interfaces().as_ref().unwrap()[0];
    assert_eq!(interface.associate_public_ip_address(), Some(false));
    assert_eq!((interface.subnet_id(), interface.groups()), (Some("subnet-1"), &["sg-1".to_owned()][..]));
    assert!(request.get_subnet_id().is_none() && request.get_security_group_ids().is_none());
}

#[test]
fn one_request_has_one_user_data() {
    let mut intent = intent(2);
    intent.slots[1].bootstrap = bootstrap("token = 2");
    assert_eq!(user_data(&intent).unwrap_err().kind, ErrorKind::Internal);
}
