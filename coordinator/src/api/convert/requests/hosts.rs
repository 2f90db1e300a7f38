//! Create, delete and power.

use skep_core::command::CreateHosts;
use skep_proto::v1 as pb;
use skep_types::{HostName, Policy, PowerAction, Refusal, limits};

use super::super::{Check, template, word};
use super::{on_failure, policy};

pub(in crate::api) fn create_hosts(from: pb::CreateHostsRequest) -> Result<CreateHosts, Refusal> {
    let mut check = Check::default();
    let shares = template::shares(&mut check, from.template, from.spread);
    let name: Option<HostName> = check.field("name", from.name.parse());
    let policy = policy(&mut check, from.policy);
    let on_failure = on_failure(&mut check, from.on_failure);
    check_count(&mut check, from.count);
    check_room(&mut check, name.as_ref(), from.count);
    if from.min_count > from.count {
        check.refuse("min_count", format!("is {}, more than the count {}", from.min_count, from.count));
    }
    if policy == Some(Policy::AllOrNothing) && from.min_count > 0 {
        check.refuse("min_count", "goes with the policy BEST_EFFORT only; leave it 0 for all or nothing");
    }
    let request = (|| {
        Some(CreateHosts {
            shares: shares?,
            name: name?,
            count: from.count,
            min_count: from.min_count,
            policy: policy?,
            max_failures: (from.max_failures > 0).then_some(from.max_failures),
            on_failure: on_failure?,
        })
    })();
    check.finish(request)
}

fn check_count(check: &mut Check, count: u32) {
    if count == 0 || count > limits::HOSTS_PER_REQUEST {
        let range = format!("ask for 1 to {}", limits::HOSTS_PER_REQUEST);
        check.refuse("count", format!("is {count}; {range}"));
    }
}

/// Hosts of a bulk create are NAME-1 … NAME-count: the longest of these must be a name too.
fn check_room(check: &mut Check, name: Option<&HostName>, count: u32) {
    let Some(name) = name.filter(|_| count > 1) else {
        return;
    };
    let number = count.min(limits::HOSTS_PER_REQUEST).to_string();
    let longest = limits::NAME_BYTES - 1 - number.len();
    if name.as_str().len() > longest {
        check.refuse("name", format!("leaves no room for -1 … -{number}; use at most {longest} characters"));
    }
}

/// Names or ids, as given: at least one, none twice.
pub(in crate::api) fn named_hosts(hosts: &[String]) -> Result<(), Refusal> {
    if hosts.is_empty() {
        return Err(Refusal::field("hosts", "is empty; name at least one host"));
    }
    if hosts.len() > limits::NAMES_PER_REQUEST {
        let most = limits::NAMES_PER_REQUEST;
        return Err(Refusal::field("hosts", format!("are {}; name at most {most} at once", hosts.len())));
    }
    Ok(())
}

pub(in crate::api) fn power_action(raw: i32) -> Result<PowerAction, Refusal> {
    const HINT: &str = "use START, STOP, RESTART or KILL";
    match word(raw, HINT).map_err(|error| Refusal::field("action", error))? {
        pb::PowerAction::Start => Ok(PowerAction::Start),
        pb::PowerAction::Stop => Ok(PowerAction::Stop),
        pb::PowerAction::Restart => Ok(PowerAction::Restart),
        pb::PowerAction::Kill => Ok(PowerAction::Kill),
        pb::PowerAction::Unspecified => Err(Refusal::field("action", format!("is missing; {HINT}"))),
    }
}
