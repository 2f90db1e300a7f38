//! The tags by which skep knows its own again. They go with the create call, so that nothing exists without them.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use skep_driver::CreateIntent;

pub(crate) const CLUSTER: &str = "skep-cluster";
pub(crate) const INTENT: &str = "skep-intent";
pub(crate) const HOST: &str = "skep-host";
pub(crate) const NAME: &str = "Name";

/// Of every resource that a create makes. An intent of one slot names it; those of several cannot be told apart yet.
pub(crate) fn of_intent(
    intent: &CreateIntent,
    further: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut tags = further.clone();
    tags.insert(CLUSTER.to_owned(), intent.cluster.clone());
    tags.insert(INTENT.to_owned(), intent.intent.to_string());
    match intent.slots.as_slice() {
        [only] => {
            tags.insert(HOST.to_owned(), only.host.to_string());
            tags.insert(NAME.to_owned(), only.name.clone());
        }
        _ => {
            tags.insert(NAME.to_owned(), format!("skep-{}", intent.intent));
        }
    }
    tags
}

/// Instances, and what comes and goes with them.
const RESOURCES: [ResourceType; 3] =
    [ResourceType::Instance, ResourceType::Volume, ResourceType::NetworkInterface];

pub(crate) fn specifications(tags: &BTreeMap<String, String>) -> Vec<TagSpecification> {
    let of = |resource: &ResourceType| specification(resource.clone(), tags);
    RESOURCES.iter().map(of).collect()
}

pub(crate) fn specification(resource: ResourceType, tags: &BTreeMap<String, String>) -> TagSpecification {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    TagSpecification::builder().resource_type(resource).set_tags(Some(tags)).build()
}

pub(crate) fn value<'a>(tags: &'a [Tag], key: &str) -> Option<&'a str> {
    tags.iter().find(|tag| tag.key() == Some(key)).and_then(Tag::value)
}
