//! Coordinators: the first one, the next ones, and what each says at its start.

use std::sync::Arc;

use skep_types::{AccountName, Code, CoordinatorId, Digest, DriverDescription, PersonRole, Refusal, limits};

use super::tx::{Tx, bounded};
use crate::command::{Founding, MemberCommand, Reply};
use crate::state::{
    Account, AccountSettings, BrokenProgram, Cluster, Coordinator, JoinToken, Person, Subject,
};

/// Parts an account's hosts may be spread over: more than coordinators makes no sense.
const SHARDS: u16 = 16;

pub(super) fn apply(tx: &mut Tx<'_>, command: &MemberCommand) -> Reply {
    let result = match command {
        MemberCommand::Found(founding) => found(tx, founding),
        MemberCommand::Redeem { token, address, raft_address, control_key, raft_key } => {
            let keys = Keys { control: *control_key, raft: *raft_key };
            redeem(tx, *token, address, raft_address, keys)
        }
        MemberCommand::Register { .. } => register(tx, command),
        MemberCommand::PutAccount { name, driver, shards } => put_account(tx, name, driver, *shards),
    };
    result.unwrap_or_else(Reply::Refused)
}

#[derive(PartialEq)]
struct Keys {
    control: Digest,
    raft: Digest,
}

fn found(tx: &mut Tx<'_>, founding: &Founding) -> Result<Reply, Refusal> {
    if let Some(cluster) = &tx.state.cluster {
        let same = cluster.id == founding.cluster;
        return if same {
            Ok(Reply::Unchanged("the cluster is made".to_owned()))
        } else {
            Err(Refusal::new(Code::AlreadyExists, "there is another cluster here already"))
        };
    }
    tx.state.epoch = 1;
    tx.state.cluster =
        Some(Arc::new(Cluster { id: founding.cluster.clone(), issuers: founding.issuers.clone() }));
    let keys = Keys { control: founding.control_key, raft: founding.raft_key };
    let id = add_coordinator(tx, &founding.address, &founding.raft_address, &keys);
    let revision = tx.state.now_revision();
    let admin =
        Person { name: founding.admin.clone(), revision, role: PersonRole::Admin, certificate_generation: 1 };
    tx.state.people.insert(founding.admin.clone(), Arc::new(admin));
    tx.event(Subject::Cluster, founding.cluster.as_str(), "Founded", "");
    Ok(Reply::Joined(id))
}

fn add_coordinator(tx: &mut Tx<'_>, address: &str, raft_address: &str, keys: &Keys) -> CoordinatorId {
    tx.state.last_coordinator += 1;
    let id = CoordinatorId(tx.state.last_coordinator);
    let coordinator = Coordinator {
        id,
        revision: tx.state.now_revision(),
        address: address.to_owned(),
        raft_address: raft_address.to_owned(),
        raft_key: keys.raft,
        control_key: keys.control,
        drivers: Vec::new(),
        broken: Vec::new(),
        version: String::new(),
        process: 0,
        removed: false,
    };
    tx.state.coordinators.insert(id, Arc::new(coordinator));
    tx.changes.cluster = true;
    id
}

/// A join token is good for one coordinator; its keys get the same answer again.
fn redeem(
    tx: &mut Tx<'_>,
    token: Digest,
    address: &str,
    raft_address: &str,
    keys: Keys,
) -> Result<Reply, Refusal> {
    let refused = |why: &str| Refusal::new(Code::Forbidden, format!("this join token {why}"));
    let Some(record) = tx.state.join_tokens.get(&token).cloned() else {
        return Err(refused("is not known; make one with `skep cluster token`"));
    };
    if let Some(id) = record.redeemed_by {
        let same = tx.state.coordinators.get(&id).is_some_and(|before| {
            !before.removed && keys == (Keys { control: before.control_key, raft: before.raft_key })
        });
        return if same { Ok(Reply::Joined(id)) } else { Err(refused("was used by another coordinator")) };
    }
    if record.expires_at <= tx.now() {
        return Err(refused("has expired"));
    }
    let id = add_coordinator(tx, address, raft_address, &keys);
    tx.state.join_tokens.insert(token, JoinToken { redeemed_by: Some(id), ..record });
    tx.event(Subject::Cluster, &id.to_string(), "CoordinatorJoined", address);
    Ok(Reply::Joined(id))
}

fn register(tx: &mut Tx<'_>, command: &MemberCommand) -> Result<Reply, Refusal> {
    let MemberCommand::Register { coordinator: id, process, address, raft_address, version, drivers, broken } =
        command
    else {
        return Ok(Reply::Unchanged("not a registration".to_owned()));
    };
    let Some(before) = tx.state.coordinators.get(id).filter(|before| !before.removed).cloned() else {
        return Err(Refusal::new(Code::Forbidden, format!("{id} is no coordinator of this cluster")));
    };
    let mut now = Coordinator {
        address: address.clone(),
        raft_address: raft_address.clone(),
        version: version.clone(),
        process: *process,
        drivers: drivers.iter().map(|driver| driver.name.clone()).collect(),
        broken: broken.iter().take(limits::BROKEN_PROGRAMS).map(told).collect(),
        ..Coordinator::clone(&before)
    };
    if now != *before {
        now.revision = tx.state.now_revision();
        tx.state.coordinators.insert(*id, Arc::new(now));
        tx.changes.cluster = true;
    }
    for driver in drivers {
        describe(tx, driver);
        own_account(tx, driver)?;
    }
    Ok(Reply::Done)
}

/// For people: what is cut off of it nobody needs.
fn told(broken: &BrokenProgram) -> BrokenProgram {
    BrokenProgram {
        name: bounded(&broken.name),
        program: bounded(&broken.program),
        reason: bounded(&broken.reason),
    }
}

/// What a driver says of itself holds for all of its accounts.
fn describe(tx: &mut Tx<'_>, driver: &DriverDescription) {
    if tx.state.drivers.get(&driver.name).is_some_and(|before| **before == *driver) {
        return;
    }
    tx.state.drivers.insert(driver.name.clone(), Arc::new(driver.clone()));
    tx.changes.cluster = true;
    let of_it = |account: &&Arc<Account>| account.driver.name == driver.name && account.driver != *driver;
    let stale: Vec<Arc<Account>> = tx.state.accounts.values().filter(of_it).cloned().collect();
    for account in stale {
        tx.put_account(Account { driver: driver.clone(), ..Account::clone(&account) });
    }
}

/// Made by itself for a driver that can do without credentials, unless somebody has taken its name.
fn own_account(tx: &mut Tx<'_>, driver: &DriverDescription) -> Result<(), Refusal> {
    let Some(name) = driver.name.own_account() else { return Ok(()) };
    if driver.needs_credentials() || tx.state.accounts.contains_key(&name) {
        return Ok(());
    }
    put_account(tx, &name, driver, 1).map(drop)
}

fn put_account(
    tx: &mut Tx<'_>,
    name: &AccountName,
    driver: &DriverDescription,
    shards: u16,
) -> Result<Reply, Refusal> {
    if shards == 0 || shards > SHARDS {
        return Err(Refusal::field("shards", format!("is {shards}; use 1 to {SHARDS}")));
    }
    let before = tx.state.accounts.get(name).cloned();
    if before.as_ref().is_some_and(|before| before.driver.name != driver.name) {
        return Err(Refusal::field("name", format!("{name} is an account of another driver")));
    }
    // Shards are fixed once made: a host's shard must not move while its intent is Open.
    let account = match &before {
        Some(before) => Account { driver: driver.clone(), ..Account::clone(before) },
        None => Account {
            name: name.clone(),
            revision: tx.state.now_revision(),
            driver: driver.clone(),
            settings: AccountSettings::default(),
            owners: vec![None; usize::from(shards)],
        },
    };
    if u32::from(shards) > account.shards_max() {
        let most = account.shards_max();
        return Err(Refusal::field("shards", format!("is {shards}; its limits have tokens for {most}")));
    }
    if before.is_none_or(|before| before.driver != *driver) {
        tx.put_account(account);
    }
    Ok(Reply::Done)
}
