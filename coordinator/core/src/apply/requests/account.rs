//! Accounts come, change and go. What they are made of is checked against what their driver says of itself.

mod check;

use std::sync::Arc;

use skep_types::{AccountName, Code, DriverName, OperationId, Refusal};

use super::{administer, unchanged_since};
use crate::apply::tx::Tx;
use crate::command::{AddAccount, RequestMeta};
use crate::state::{Account, AccountLimits, AccountSettings, CredentialSource, Subject};

pub(super) fn add(tx: &mut Tx<'_>, meta: &RequestMeta, add: &AddAccount) -> Result<OperationId, Refusal> {
    let name = &add.account;
    let before = tx.state.accounts.get(name).cloned();
    let Some(driver) = tx.state.drivers.get(&add.driver).cloned() else {
        return Err(unknown_driver(tx, &add.driver));
    };
    if let Some(before) = &before {
        unchanged_since(meta, before.revision)?;
        may_replace(before, add)?;
    }
    check::settings(&driver, &add.settings)?;
    check::coordinators(tx.state, &add.settings.coordinators)?;
    let reason = if before.is_some() { "AccountReplaced" } else { "AccountAdded" };
    let account = Account {
        name: name.clone(),
        revision: tx.state.now_revision(),
        driver: driver.as_ref().clone(),
        settings: add.settings.clone(),
        owners: before.map_or_else(|| vec![None], |before| before.owners.clone()),
    };
    check::tokens(&account)?;
    tx.put_account(account);
    tx.event(Subject::Cluster, name.as_str(), reason, add.driver.as_str());
    Ok(administer(tx, meta, name.as_str()))
}

fn may_replace(before: &Account, add: &AddAccount) -> Result<(), Refusal> {
    if !add.replace {
        let hint = "choose another name, or replace what it has";
        return Err(Refusal::new(
            Code::AlreadyExists,
            format!("there is an account {} already", before.name),
        )
        .and("name", format!("is taken; {hint}")));
    }
    if before.driver.name != add.driver {
        let rule = format!("{} is an account of driver {}; that stays", before.name, before.driver.name);
        return Err(Refusal::field("driver", rule));
    }
    Ok(())
}

fn unknown_driver(tx: &Tx<'_>, driver: &DriverName) -> Refusal {
    let known: Vec<&str> = tx.state.drivers.keys().map(DriverName::as_str).collect();
    Refusal::field("driver", format!("{driver} is no driver here; there are: {}", known.join(", ")))
}

pub(super) fn set_limits(
    tx: &mut Tx<'_>,
    meta: &RequestMeta,
    name: &AccountName,
    limits: &AccountLimits,
) -> Result<OperationId, Refusal> {
    let before = found(tx, meta, name)?;
    check::limits(limits)?;
    let settings = AccountSettings { limits: limits.clone(), ..before.settings.clone() };
    check::tokens(&Account { settings: settings.clone(), ..Account::clone(&before) })?;
    change(tx, &before, settings);
    tx.event(Subject::Cluster, name.as_str(), "AccountLimitsSet", "");
    Ok(administer(tx, meta, name.as_str()))
}

pub(super) fn rotate(
    tx: &mut Tx<'_>,
    meta: &RequestMeta,
    name: &AccountName,
    credentials: &CredentialSource,
) -> Result<OperationId, Refusal> {
    let before = found(tx, meta, name)?;
    check::credentials(&before.driver, credentials)?;
    change(tx, &before, AccountSettings { credentials: credentials.clone(), ..before.settings.clone() });
    tx.event(Subject::Cluster, name.as_str(), "AccountCredentialsRotated", "");
    Ok(administer(tx, meta, name.as_str()))
}

fn change(tx: &mut Tx<'_>, before: &Account, settings: AccountSettings) {
    tx.put_account(Account { settings, ..before.clone() });
}

pub(super) fn remove(
    tx: &mut Tx<'_>,
    meta: &RequestMeta,
    name: &AccountName,
) -> Result<OperationId, Refusal> {
    let before = found(tx, meta, name)?;
    unused(tx, &before)?;
    tx.state.accounts.remove(name);
    tx.changes.accounts.insert(name.clone());
    tx.event(Subject::Cluster, name.as_str(), "AccountRemoved", "");
    Ok(administer(tx, meta, name.as_str()))
}

/// Without it nobody could destroy what its hosts are made of.
fn unused(tx: &Tx<'_>, account: &Account) -> Result<(), Refusal> {
    let name = &account.name;
    let hosts = tx.state.hosts.values().filter(|host| host.template.account == *name).count();
    if hosts > 0 {
        let message = format!("{hosts} hosts are of account {name}; delete them first");
        return Err(Refusal::new(Code::Precondition, message));
    }
    if tx.state.open_intents(name) > 0 {
        let message = format!("driver calls of account {name} are under way; try again when they are done");
        return Err(Refusal::new(Code::Precondition, message));
    }
    let driver = &account.driver;
    let mut here = tx.state.coordinators.values().filter(|coordinator| !coordinator.removed);
    let own = driver.name.own_account().as_ref() == Some(name) && !driver.needs_credentials();
    if own && here.any(|coordinator| coordinator.drivers.contains(&driver.name)) {
        let message = format!("{name} is the driver's own account: it is there as long as the driver is");
        return Err(Refusal::new(Code::Precondition, message));
    }
    Ok(())
}

fn found(tx: &Tx<'_>, meta: &RequestMeta, name: &AccountName) -> Result<Arc<Account>, Refusal> {
    let Some(account) = tx.state.accounts.get(name).cloned() else {
        return Err(Refusal::not_found(format!("account {name}"), "`skep account ls` lists them"));
    };
    unchanged_since(meta, account.revision)?;
    Ok(account)
}
