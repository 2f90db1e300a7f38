//! Hosts and swarms come into being: one command, however many hosts.

use std::sync::Arc;

use skep_types::{
    Code, HostId, HostName, NodeRole, OperationId, OperationKind, Phase, Policy, Refusal, SwarmId, Template,
    limits,
};

use super::{Opening, open_operation};
use crate::apply::tx::Tx;
use crate::command::{CreateHosts, CreateSwarm, RequestMeta, Share};
use crate::spread;
use crate::state::{Conditions, CreateRule, Desired, Host, Membership, Swarm};

pub(super) fn hosts(
    tx: &mut Tx<'_>,
    meta: &RequestMeta,
    create: &CreateHosts,
) -> Result<OperationId, Refusal> {
    check_shares(tx, &create.shares)?;
    if create.count == 0 || create.count > limits::HOSTS_PER_REQUEST {
        let range = format!("ask for 1 to {}", limits::HOSTS_PER_REQUEST);
        return Err(Refusal::field("count", format!("is {}; {range}", create.count)));
    }
    if create.min_count > create.count {
        return Err(Refusal::field("min_count", "is more than count"));
    }
    let names = host_names(create.name.as_str(), create.count)?;
    check_free(tx, &names)?;
    let turns = spread::turns(&create.shares, 0, create.count)?;
    let needed = match create.policy {
        Policy::AllOrNothing => create.count,
        Policy::BestEffort => create.min_count.max(1),
    };
    let (max_failures, on_failure) = (create.max_failures, create.on_failure);
    let opening = Opening {
        kind: OperationKind::CreateHosts,
        subject: create.name.as_str(),
        swarm: None,
        items: create.count,
        rule: Some(CreateRule { needed, managers: 0, max_failures, on_failure }),
    };
    let operation = open_operation(tx, meta, opening);
    for (name, turn) in names.into_iter().zip(turns) {
        add_host(tx, name, &create.shares[turn].template, operation, None);
    }
    Ok(operation)
}

pub(super) fn swarm(
    tx: &mut Tx<'_>,
    meta: &RequestMeta,
    create: &CreateSwarm,
) -> Result<OperationId, Refusal> {
    check_shares(tx, &create.shares)?;
    check_size(create)?;
    let turns = spread::turns(&create.shares, create.managers, create.managers + create.workers)?;
    if tx.state.index.swarm_names.contains_key(&create.name) {
        return Err(taken("swarm", create.name.as_str()));
    }
    let managers = numbered(&format!("{}-manager", create.name), create.managers)?;
    let workers = numbered(&format!("{}-worker", create.name), create.workers)?;
    check_free(tx, &managers)?;
    check_free(tx, &workers)?;
    let id = SwarmId::new(tx.state.epoch, tx.allocate());
    let operation = open_operation(tx, meta, swarm_opening(create, id));
    add_swarm(tx, id, create, operation);
    let managers = managers.into_iter().map(|name| (name, NodeRole::Manager));
    let workers = workers.into_iter().map(|name| (name, NodeRole::Worker));
    for ((name, role), turn) in managers.chain(workers).zip(turns) {
        let membership = Membership { swarm: id, role };
        add_host(tx, name, &create.shares[turn].template, operation, Some(membership));
    }
    Ok(operation)
}

fn swarm_opening(create: &CreateSwarm, id: SwarmId) -> Opening<'_> {
    let workers_needed = match create.policy {
        Policy::AllOrNothing => create.workers,
        Policy::BestEffort => 0,
    };
    Opening {
        kind: OperationKind::CreateSwarm,
        subject: create.name.as_str(),
        swarm: Some(id),
        items: create.managers + create.workers,
        rule: Some(CreateRule {
            needed: create.managers + workers_needed,
            managers: create.managers,
            max_failures: None,
            on_failure: create.on_failure,
        }),
    }
}

fn add_swarm(tx: &mut Tx<'_>, id: SwarmId, create: &CreateSwarm, operation: OperationId) {
    let swarm = Swarm {
        id,
        name: create.name.clone(),
        revision: tx.state.now_revision(),
        created_by: operation,
        created_at: tx.now(),
        managers: create.managers,
        workers: create.workers,
        absent: false,
        init_host: None,
        docker_id: None,
        worker_token: None,
        nodes: imbl::OrdMap::new(),
        ghosts: Vec::new(),
    };
    tx.state.index.swarm_names.insert(swarm.name.clone(), id);
    tx.state.swarms.insert(id, Arc::new(swarm));
    tx.changes.swarms.insert(id);
}

fn add_host(
    tx: &mut Tx<'_>,
    name: HostName,
    template: &Arc<Template>,
    operation: OperationId,
    membership: Option<Membership>,
) {
    let host = Host {
        id: HostId::new(tx.state.epoch, tx.allocate()),
        name,
        revision: tx.state.now_revision(),
        template: Arc::clone(template),
        created_by: operation,
        created_at: tx.now(),
        item_of: Some(operation),
        membership,
        desired: Desired::default(),
        phase: Phase::Pending,
        phase_since: tx.now(),
        retry_at: None,
        attempts: 0,
        incarnation: 0,
        instance: None,
        enrolment: None,
        session: None,
        session_floor: 0,
        facts: None,
        conditions: Conditions::default(),
        node: None,
        left: false,
        permit: None,
    };
    tx.changes.accounts.insert(host.template.account.clone());
    tx.insert_host(host);
}

/// A single share is the request's `template`; of several, each is named by its place.
fn check_shares(tx: &Tx<'_>, shares: &[Share]) -> Result<(), Refusal> {
    for (index, share) in shares.iter().enumerate() {
        check_template(tx, &share.template).map_err(|mut refusal| {
            for violation in refusal.violations.iter_mut().filter(|_| shares.len() > 1) {
                violation.field = format!("spread.{index}.{}", violation.field);
            }
            refusal
        })?;
    }
    Ok(())
}

fn check_template(tx: &Tx<'_>, template: &Template) -> Result<(), Refusal> {
    match tx.state.accounts.get(&template.account) {
        Some(account) if account.driver.name == template.driver => Ok(()),
        Some(account) => Err(Refusal::field(
            "template.account",
            format!(
                "{} is an account of driver {}, not of {}",
                template.account, account.driver.name, template.driver
            ),
        )),
        None if tx.state.drivers.contains_key(&template.driver) => {
            let rule = format!("driver {} has no account {}", template.driver, template.account);
            Err(Refusal::field("template.account", format!("{rule}; `skep account add` makes one")))
        }
        None => Err(Refusal::field(
            "template.driver",
            format!("there is no driver or account {}; `skep driver ls` lists them", template.account),
        )),
    }
}

fn check_size(create: &CreateSwarm) -> Result<(), Refusal> {
    if !limits::MANAGERS.contains(&create.managers) {
        let hint = "an odd number keeps quorum best: ask for 1, 3, 5 or 7";
        return Err(Refusal::field("managers", format!("is {}; {hint}", create.managers)));
    }
    let all = create.managers.saturating_add(create.workers);
    if all > limits::HOSTS_PER_REQUEST {
        return Err(Refusal::field(
            "workers",
            format!("makes {all} hosts; at most {}", limits::HOSTS_PER_REQUEST),
        ));
    }
    Ok(())
}

fn host_names(name: &str, count: u32) -> Result<Vec<HostName>, Refusal> {
    if count == 1 {
        return Ok(vec![name.parse().map_err(|error| Refusal::field("name", error))?]);
    }
    numbered(name, count)
}

fn numbered(prefix: &str, count: u32) -> Result<Vec<HostName>, Refusal> {
    let too_long =
        |error| Refusal::field("name", error).and("name", "leave room for the number that follows it");
    (1..=count).map(|number| format!("{prefix}-{number}").parse().map_err(too_long)).collect()
}

fn check_free(tx: &Tx<'_>, names: &[HostName]) -> Result<(), Refusal> {
    match names.iter().find(|name| tx.state.index.host_names.contains_key(*name)) {
        Some(name) => Err(taken("host", name.as_str())),
        None => Ok(()),
    }
}

fn taken(kind: &str, name: &str) -> Refusal {
    Refusal::new(Code::AlreadyExists, format!("there is a {kind} {name} already"))
        .and("name", format!("{name} is taken; choose another, or delete that {kind} first"))
}
