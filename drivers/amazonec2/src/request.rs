//! The one request that makes instances, whole. Pure: the same intent and attempt give the same request.

use aws_sdk_ec2::operation::run_instances::builders::RunInstancesInputBuilder;
use aws_sdk_ec2::types::{
    BlockDeviceMapping, EbsBlockDevice, HttpTokensState, IamInstanceProfileSpecification,
    InstanceInterruptionBehavior, InstanceMarketOptionsRequest, InstanceMetadataEndpointState,
    InstanceMetadataOptionsRequest, InstanceNetworkInterfaceSpecification, InstanceType,
    LaunchTemplateSpecification, MarketType, Placement, RunInstancesMonitoringEnabled, ShutdownBehavior,
    SpotInstanceType, SpotMarketOptions, VolumeType,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use skep_driver::{CreateIntent, DriverError, ErrorKind, bootstrap};

use crate::options::{LaunchTemplate, Market, Options, PublicAddress, RootVolume, TemplateBy};
use crate::plan::{Attempt, Place, client_token};
use crate::resolve::Resolved;
use crate::tags;

/// Always gathered, whatever the account trusts now: a repeated create must be the same to the byte.
const EVIDENCE: &str = include_str!("evidence.sh");

/// One attempt of an intent, for what is left to make.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    pub(crate) intent: &'a CreateIntent,
    pub(crate) options: &'a Options,
    pub(crate) resolved: &'a Resolved,
    pub(crate) attempt: &'a Attempt,
    /// The attempt's place in the plan.
    pub(crate) number: usize,
    /// Instances that are still missing.
    pub(crate) wanted: usize,
}

pub(crate) fn request(order: &Order<'_>) -> Result<RunInstancesInputBuilder, DriverError> {
    let Order { intent, options, resolved, attempt, .. } = order;
    let tags = tags::of_intent(intent, &options.tags);
    let builder = RunInstancesInputBuilder::default()
        .client_token(client_token(&intent.token, order.number))
        // As many as there are, rather than none: what is missing is told as a shortfall.
        .min_count(1)
        .max_count(i32::try_from(order.wanted).unwrap_or(i32::MAX))
        .user_data(user_data(intent)?)
        .set_image_id(resolved.image.clone())
        .set_instance_type(attempt.instance_type.as_deref().map(InstanceType::from))
        .set_launch_template(options.launch_template.as_ref().map(launch_template))
        .set_instance_market_options(market(attempt.market, options.spot_price.as_deref()))
        .set_key_name(options.key_pair.clone())
        .set_iam_instance_profile(options.profile.as_deref().map(profile))
        .set_monitoring(
            options.monitoring.then(|| RunInstancesMonitoringEnabled::builder().enabled(true).build()),
        )
        .set_ebs_optimized(options.ebs_optimized.then_some(true))
        .metadata_options(metadata(options.metadata_hops))
        .set_block_device_mappings(volumes(options, resolved))
        // What shuts down in itself is stopped, and can be looked into.
        .instance_initiated_shutdown_behavior(ShutdownBehavior::Stop)
        .set_tag_specifications(Some(tags::specifications(&tags)));
    Ok(placed(builder, order))
}

fn user_data(intent: &CreateIntent) -> Result<String, DriverError> {
    let Some(first) = intent.slots.first() else {
        return Err(DriverError::new(ErrorKind::Internal, "an intent without slots"));
    };
    // One request has one user-data.
    if intent.slots.iter().any(|slot| slot.bootstrap != first.bootstrap) {
        return Err(DriverError::new(
            ErrorKind::Internal,
            "the slots of one intent differ in what their hosts get",
        ));
    }
    let script = bootstrap::render_with_evidence(&first.bootstrap, EVIDENCE).map_err(|error| {
        DriverError::new(ErrorKind::Internal, "the user-data cannot be rendered").caused_by(error)
    })?;
    Ok(STANDARD.encode(script.reveal()))
}

fn launch_template(template: &LaunchTemplate) -> LaunchTemplateSpecification {
    let builder = LaunchTemplateSpecification::builder().version(&template.version);
    match &template.by {
        TemplateBy::Id(id) => builder.launch_template_id(id).build(),
        TemplateBy::Name(name) => builder.launch_template_name(name).build(),
    }
}

/// A spot host that is called back is gone, and replaced like any other that is.
fn market(market: Market, price: Option<&str>) -> Option<InstanceMarketOptionsRequest> {
    match market {
        Market::OnDemand => None,
        Market::Spot => {
            let spot = SpotMarketOptions::builder()
                .spot_instance_type(SpotInstanceType::OneTime)
                .instance_interruption_behavior(InstanceInterruptionBehavior::Terminate)
                .set_max_price(price.map(str::to_owned))
                .build();
            Some(
                InstanceMarketOptionsRequest::builder()
                    .market_type(MarketType::Spot)
                    .spot_options(spot)
                    .build(),
            )
        }
    }
}

fn profile(named: &str) -> IamInstanceProfileSpecification {
    let builder = IamInstanceProfileSpecification::builder();
    if named.starts_with("arn:") { builder.arn(named).build() } else { builder.name(named).build() }
}

/// Version 2 alone: a request that somebody tricks a service into making has no token.
fn metadata(hops: Option<i32>) -> InstanceMetadataOptionsRequest {
    InstanceMetadataOptionsRequest::builder()
        .http_tokens(HttpTokensState::Required)
        .http_endpoint(InstanceMetadataEndpointState::Enabled)
        .set_http_put_response_hop_limit(hops)
        .build()
}

fn volumes(options: &Options, resolved: &Resolved) -> Option<Vec<BlockDeviceMapping>> {
    let (root, device) = (options.volume.root.as_ref()?, resolved.root_device.as_deref()?);
    Some(vec![BlockDeviceMapping::builder().device_name(device).ebs(ebs(root)).build()])
}

fn ebs(root: &RootVolume) -> EbsBlockDevice {
    EbsBlockDevice::builder()
        .volume_size(root.gigabytes)
        .volume_type(VolumeType::from(root.kind.as_str()))
        .set_iops(root.iops)
        .set_throughput(root.throughput)
        .encrypted(true)
        .set_kms_key_id(root.kms_key.clone())
        .delete_on_termination(true)
        .build()
}

/// Groups, subnet and addresses stand at the interface when one is spelled out, and at the instance when none is.
fn placed(builder: RunInstancesInputBuilder, order: &Order<'_>) -> RunInstancesInputBuilder {
    let (zone, subnet) = match &order.attempt.place {
        Place::Any => (None, None),
        Place::Zone(zone) => (Some(zone), None),
        Place::Subnet(subnet) => (None, Some(subnet.clone())),
    };
    let builder =
        builder.set_placement(zone.map(|zone| Placement::builder().availability_zone(zone).build()));
    let groups = Some(order.resolved.groups.clone()).filter(|groups| !groups.is_empty());
    let ipv6 = order.options.ipv6_addresses;
    match order.options.public_address {
        PublicAddress::AsSubnet => {
            builder.set_subnet_id(subnet).set_security_group_ids(groups).set_ipv6_address_count(ipv6)
        }
        PublicAddress::Never => {
            let interface = InstanceNetworkInterfaceSpecification::builder()
                .device_index(0)
                .associate_public_ip_address(false)
                .delete_on_termination(true)
                .set_subnet_id(subnet)
                .set_groups(groups)
                .set_ipv6_address_count(ipv6);
            builder.network_interfaces(interface.build())
        }
    }
}

#[cfg(test)]
mod tests;
