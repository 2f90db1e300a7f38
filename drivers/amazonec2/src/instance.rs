//! EC2's view of an instance, as skep sees it. Pure.

use aws_sdk_ec2::types::{Instance as Described, InstanceStateName};
use skep_driver::{Instance, InstanceState};
use skep_types::InstanceRef;

use crate::tags;

/// None for an answer without an id or a state, which EC2 never gives.
pub(crate) fn convert(from: &Described) -> Option<Instance> {
    let id = from.instance_id()?;
    // A batch is made under one name, and names of instances are labels that anybody may change: the id is the name.
    let instance = InstanceRef { provider_id: id.parse().ok()?, name: id.to_owned() };
    let address = |text: Option<&str>| text.and_then(|text| text.parse().ok());
    let zone = from.placement().and_then(|placement| placement.availability_zone()).unwrap_or_default();
    Some(Instance {
        instance,
        intent: tags::value(from.tags(), tags::INTENT).and_then(|tag| tag.parse().ok()),
        state: state(from)?,
        private_address: address(from.private_ip_address()),
        public_address: address(from.public_ip_address()),
        zone: zone.to_owned(),
        kept: None,
    })
}

fn state(from: &Described) -> Option<InstanceState> {
    match from.state()?.name()? {
        InstanceStateName::Pending => Some(InstanceState::Starting),
        InstanceStateName::Running => Some(InstanceState::Running),
        InstanceStateName::Stopping => Some(InstanceState::Stopping),
        InstanceStateName::Stopped => Some(InstanceState::Stopped),
        // Nothing stops it from going.
        InstanceStateName::ShuttingDown | InstanceStateName::Terminated => Some(InstanceState::Destroyed),
        _ => None,
    }
}

pub(crate) fn is_of(from: &Described, cluster: &str) -> bool {
    tags::value(from.tags(), tags::CLUSTER) == Some(cluster)
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{InstanceState as State, Placement, Tag};

    use super::*;

    fn described(state: InstanceStateName) -> Described {
        Described::builder()
            .instance_id("i-0123456789abcdef0")
            .state(State::builder().name(state).build())
            .private_ip_address("10.0.0.7")
            .placement(Placement::builder().availability_zone("eu-west-1b").build())
            .tags(Tag::builder().key(tags::INTENT).value("i1-7").build())
            .tags(Tag::builder().key(tags::CLUSTER).value("c1").build())
            .build()
    }

    #[test]
    fn an_instance_is_read_with_its_intent_address_and_zone() {
        let from = described(InstanceStateName::Running);
        let seen = convert(&from).unwrap();
        assert_eq!(seen.intent, Some(skep_types::IntentId::new(1, 7)));
        assert_eq!(seen.private_address, Some("10.0.0.7".parse().unwrap()));
        assert_eq!((seen.state, seen.zone.as_str()), (InstanceState::Running, "eu-west-1b"));
        assert_eq!(seen.instance.name, "i-0123456789abcdef0");
        assert!(is_of(&from, "c1") && !is_of(&from, "c2"));
    }

    #[test]
    fn what_is_on_its_way_out_is_gone() {
        for state in [InstanceStateName::ShuttingDown, InstanceStateName::Terminated] {
            assert_eq!(convert(&described(state)).unwrap().state, InstanceState::Destroyed);
        }
    }
}
