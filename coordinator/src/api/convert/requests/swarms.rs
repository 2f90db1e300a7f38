//! A swarm to be made.

use skep_core::command::CreateSwarm;
use skep_proto::v1 as pb;
use skep_types::{Refusal, SwarmName, limits};

use super::super::{Check, template};
use super::{on_failure, policy};

/// What follows the swarm's name in its hosts' names, without the number.
const LONGEST_SUFFIX: usize = "-manager-".len();

pub(in crate::api) fn create_swarm(from: pb::CreateSwarmRequest) -> Result<CreateSwarm, Refusal> {
    let mut check = Check::default();
    let shares = template::shares(&mut check, from.template, from.spread);
    let name: Option<SwarmName> = check.field("name", from.name.parse());
    let policy = policy(&mut check, from.policy);
    let on_failure = on_failure(&mut check, from.on_failure);
    check_size(&mut check, from.managers, from.workers);
    check_room(&mut check, name.as_ref(), from.workers);
    let request = (|| {
        Some(CreateSwarm {
            shares: shares?,
            name: name?,
            managers: from.managers,
            workers: from.workers,
            policy: policy?,
            on_failure: on_failure?,
        })
    })();
    check.finish(request)
}

fn check_size(check: &mut Check, managers: u32, workers: u32) {
    if !limits::MANAGERS.contains(&managers) {
        let hint = "an odd number keeps quorum best: ask for 1, 3, 5 or 7";
        check.refuse("managers", format!("is {managers}; {hint}"));
    }
    let most = limits::HOSTS_PER_REQUEST.saturating_sub(managers);
    if workers > most {
        check.refuse("workers", format!("is {workers}; with {managers} managers ask for at most {most}"));
    }
}

/// Hosts are named NAME-manager-1 … and NAME-worker-1 …: the longest of these must be a name too.
fn check_room(check: &mut Check, name: Option<&SwarmName>, workers: u32) {
    let digits = workers.clamp(1, limits::HOSTS_PER_REQUEST).to_string().len();
    let longest = limits::NAME_BYTES - LONGEST_SUFFIX - digits;
    if name.is_some_and(|name| name.as_str().len() > longest) {
        let rule = format!("use at most {longest} characters");
        check.refuse("name", format!("leaves no room for -manager-1 and -worker-{workers}; {rule}"));
    }
}
