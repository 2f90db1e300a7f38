//! Requests of people, checked before anything is looked up.

mod accounts;
mod cluster;
mod hosts;
mod swarms;

pub(in crate::api) use accounts::{Credentials, account_limits, account_name, add_account, rotation};
pub(in crate::api) use cluster::{Joining, coordinator, join, join_token_life, put_person};
pub(in crate::api) use hosts::{create_hosts, named_hosts, power_action};
pub(in crate::api) use swarms::create_swarm;

use skep_proto::v1 as pb;
use skep_types::{OnFailure, Policy};

use super::{Check, word};

fn policy(check: &mut Check, raw: i32) -> Option<Policy> {
    let hint = "use BEST_EFFORT or ALL_OR_NOTHING";
    Some(match check.field("policy", word(raw, hint))? {
        pb::Policy::AllOrNothing => Policy::AllOrNothing,
        pb::Policy::Unspecified | pb::Policy::BestEffort => Policy::BestEffort,
    })
}

fn on_failure(check: &mut Check, raw: i32) -> Option<OnFailure> {
    Some(match check.field("on_failure", word(raw, "use KEEP or DELETE"))? {
        pb::OnFailure::Delete => OnFailure::Delete,
        pb::OnFailure::Unspecified | pb::OnFailure::Keep => OnFailure::Keep,
    })
}
