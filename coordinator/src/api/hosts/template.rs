//! Whether a driver of this cluster can make hosts of a template; asked before anything is committed.

use std::collections::BTreeSet;

use skep_core::State;
use skep_core::command::Share;
use skep_driver::{DriverError, ErrorKind, flags};
use skep_types::{Code, Refusal, Template, limits};

use crate::context::Drivers;

/// Checks every share's template. A single one is the request's `template`; of several, each is named by its place.
pub(in crate::api) async fn check(drivers: &Drivers, state: &State, shares: &[Share]) -> Result<(), Refusal> {
    for (index, share) in shares.iter().enumerate() {
        check_one(drivers, state, &share.template).await.map_err(|mut refusal| {
            for violation in refusal.violations.iter_mut().filter(|_| shares.len() > 1) {
                violation.field = format!("spread.{index}.{}", violation.field);
            }
            refusal
        })?;
    }
    Ok(())
}

/// Checks flags against what the driver said of itself, and then by the driver, where this coordinator has it.
async fn check_one(drivers: &Drivers, state: &State, template: &Template) -> Result<(), Refusal> {
    let Some(account) = state.accounts.get(&template.account) else {
        return Err(unknown_account(state, template));
    };
    if account.driver.name != template.driver {
        let owner = &account.driver.name;
        let rule = format!("{} is an account of driver {owner}, not of {}", account.name, template.driver);
        return Err(Refusal::field("template.account", rule));
    }
    flags::read(&account.driver.flags, template).map_err(refusal)?;
    let Some(driver) = drivers.get(&template.driver) else {
        return Ok(());
    };
    match tokio::time::timeout(limits::DRIVER_CALL, driver.check(template)).await {
        Ok(checked) => checked.map_err(refusal),
        Err(_) => Err(Refusal::new(Code::Unavailable, format!("driver {} does not answer", template.driver))),
    }
}

fn unknown_account(state: &State, template: &Template) -> Refusal {
    let known: BTreeSet<&str> = state.accounts.values().map(|account| account.driver.name.as_str()).collect();
    if known.contains(template.driver.as_str()) {
        let hint = format!("driver {} has no account {}", template.driver, template.account);
        return Refusal::field(
            "template.account",
            format!("is unknown: {hint}; `skep driver ls` lists them"),
        );
    }
    let known = known.into_iter().collect::<Vec<_>>().join(", ");
    Refusal::field("template.driver", format!("{} is no driver here; there are: {known}", template.driver))
}

fn refusal(error: DriverError) -> Refusal {
    let message = error.to_string();
    match error.kind {
        ErrorKind::InvalidSpec { violations } => {
            Refusal { violations, ..Refusal::new(Code::Invalid, "the request is invalid") }
        }
        ErrorKind::Throttled { .. } | ErrorKind::Unavailable | ErrorKind::Ambiguous => {
            Refusal::new(Code::Unavailable, message)
        }
        ErrorKind::Capacity | ErrorKind::Quota => Refusal::new(Code::Exhausted, message),
        ErrorKind::Auth | ErrorKind::NotFound | ErrorKind::Unsupported => {
            Refusal::new(Code::Precondition, message)
        }
        ErrorKind::Internal => Refusal::new(Code::Internal, message),
    }
}

#[cfg(test)]
mod tests;
