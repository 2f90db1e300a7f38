//! What a request would do, found out by doing it to a copy of the state. Proposes nothing.

use std::sync::Arc;

use skep_core::command::RequestCommand;
use skep_core::state::{Account, Host, Swarm};
use skep_core::{Changes, Command, Entry, Reply, State, apply};
use skep_proto::v1 as pb;
use skep_types::{AccountName, ClusterTime, Code, OperationId, PowerAction, Refusal};

use super::convert::operation;

/// Lines of a plan: more than anybody reads, and well below the size of a message.
const LINES: usize = 10_000;

pub(super) fn plan(
    state: &State,
    now: ClusterTime,
    command: RequestCommand,
) -> Result<pb::Operation, Refusal> {
    let mut after = state.clone();
    let entry = Entry { time: now, commands: vec![Command::Request(command)] };
    let (mut replies, changes) = apply(&mut after, &entry);
    let operation = match replies.pop() {
        Some(Reply::Accepted(operation)) => operation,
        Some(Reply::Refused(refusal)) => return Err(refusal),
        _ => return Err(Refusal::new(Code::Internal, "the dry run was answered with something else")),
    };
    let record = after.operations.get(&operation);
    let mut planned = record.map(|record| operation::write(record, &after, now)).unwrap_or_default();
    planned.plan = lines(state, &after, &changes, operation);
    // It is no operation anybody could ask for.
    planned.id.clear();
    planned.revision.clear();
    Ok(planned)
}

fn lines(before: &State, after: &State, changes: &Changes, own: OperationId) -> Vec<String> {
    if before.operations.contains_key(&own) {
        return vec![format!("nothing: {own} did this before")];
    }
    let swarms = changes.swarms.iter().filter_map(|id| {
        let after = after.swarms.get(id)?;
        swarm(before.swarms.get(id).map(AsRef::as_ref), after)
    });
    let hosts =
        changes.hosts.iter().filter_map(|id| host(before.host(*id).map(AsRef::as_ref), after.host(*id)?));
    let operations =
        changes.operations.iter().filter(|id| **id != own && before.operations.contains_key(*id));
    let operations = operations.map(|id| format!("take over from operation {id}"));
    let all = swarms.chain(hosts).chain(operations).chain(cluster(before, after, changes));
    bounded(all)
}

fn bounded(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines = lines.fuse();
    let mut told: Vec<String> = lines.by_ref().take(LINES).collect();
    let more = lines.count();
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told
}

fn swarm(before: Option<&Swarm>, after: &Swarm) -> Option<String> {
    match before {
        None => Some(format!(
            "create swarm {} of {} managers and {} workers",
            after.name, after.managers, after.workers
        )),
        Some(before) if after.absent && !before.absent => Some(format!("delete swarm {}", after.name)),
        Some(_) => None,
    }
}

fn host(before: Option<&Host>, after: &Host) -> Option<String> {
    let Some(before) = before else {
        let role = after.role().map(|role| format!(", {}", role.label())).unwrap_or_default();
        return Some(format!("create host {} (driver {}{role})", after.name, after.template.driver));
    };
    let name = &after.name;
    if after.desired.absent && !before.desired.absent {
        return Some(format!("delete host {name}"));
    }
    match after.desired.power {
        Some(action) if before.desired.power != Some(action) => Some(format!("{} host {name}", verb(action))),
        _ => None,
    }
}

fn verb(action: PowerAction) -> &'static str {
    match action {
        PowerAction::Start => "start",
        PowerAction::Stop => "stop",
        PowerAction::Restart => "restart",
        PowerAction::Kill => "kill",
    }
}

fn cluster(before: &State, after: &State, changes: &Changes) -> Vec<String> {
    if !changes.cluster {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for (name, now) in &after.people {
        match before.people.get(name) {
            None => lines.push(format!("make {name} {}", now.role.label())),
            Some(then) => {
                if then.role != now.role {
                    lines.push(format!("change {name} from {} to {}", then.role.label(), now.role.label()));
                }
                if then.certificate_generation != now.certificate_generation {
                    lines.push(format!("dismiss the certificates of {name}"));
                }
            }
        }
    }
    lines.extend(accounts(before, after));
    let gone = before.people.keys().filter(|name| !after.people.contains_key(*name));
    lines.extend(gone.map(|name| format!("remove person {name}")));
    let leaving = after
        .coordinators
        .iter()
        .filter(|(id, now)| now.removed && before.coordinators.get(*id).is_some_and(|then| !then.removed));
    lines.extend(leaving.map(|(id, _)| format!("remove coordinator {id}")));
    let fresh = after.join_tokens.iter().filter(|(id, _)| !before.join_tokens.contains_key(*id));
    lines.extend(fresh.map(|(_, token)| {
        format!("make a join token for {} s", token.expires_at.since(after.time).as_secs())
    }));
    lines
}

fn accounts(before: &State, after: &State) -> Vec<String> {
    let changed = |(name, now): (&AccountName, &Arc<Account>)| match before.accounts.get(name) {
        None => Some(format!("add account {name} of driver {}", now.driver.name)),
        Some(then) if then.settings == now.settings => None,
        Some(then) => {
            let parts = [
                ("limits", then.settings.limits != now.settings.limits),
                ("credentials", then.settings.credentials != now.settings.credentials),
                ("options", then.settings.options != now.settings.options),
                ("coordinators", then.settings.coordinators != now.settings.coordinators),
            ];
            let parts: Vec<&str> =
                parts.iter().filter(|(_, differs)| *differs).map(|(part, _)| *part).collect();
            Some(format!("change the {} of account {name}", parts.join(", ")))
        }
    };
    let gone = before.accounts.keys().filter(|name| !after.accounts.contains_key(*name));
    let gone = gone.map(|name| format!("remove account {name}"));
    after.accounts.iter().filter_map(changed).chain(gone).collect()
}

#[cfg(test)]
mod tests;
