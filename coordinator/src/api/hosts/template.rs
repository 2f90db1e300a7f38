//! Whether a driver of this cluster can make hosts of a template; asked before anything is committed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use skep_core::State;
use skep_core::command::Share;
use skep_driver::{Driver, DriverError, ErrorKind, flags};
use skep_types::{Code, Refusal, Template};
use tokio::time::{Instant, timeout_at};

use crate::context::Context;

/// From the beginning of a request, for its accounts to be opened and all of its templates to be checked: a client gives a
/// coordinator 30 s, and the request has to be committed as well.
const CHECKED: Duration = Duration::from_secs(20);

/// Checks every share's template. A single one is the request's `template`; of several, each is named by its place.
pub(in crate::api) async fn check(context: &Context, state: &State, shares: &[Share]) -> Result<(), Refusal> {
    let end = Instant::now() + CHECKED;
    // At once: each is waited for.
    let drivers = join_all(shares.iter().map(|share| usable(context, state, &share.template))).await;
    for (index, (share, driver)) in shares.iter().zip(drivers).enumerate() {
        check_one(driver, state, &share.template, end).await.map_err(|mut refusal| {
            for violation in refusal.violations.iter_mut().filter(|_| shares.len() > 1) {
                violation.field = format!("spread.{index}.{}", violation.field);
            }
            refusal
        })?;
    }
    Ok(())
}

/// The account's driver, where this coordinator has it and reaches the account. One that cannot be opened here, or not soon,
/// checks nothing: it may be opened where it is needed, and what is made of the template waits for that and says so.
async fn usable(context: &Context, state: &State, template: &Template) -> Option<Arc<dyn Driver>> {
    let account = state.accounts.get(&template.account)?;
    if !account.reachable_from(context.id) {
        return None;
    }
    context.accounts.ready_soon(&account.name).await.ok()?;
    context.accounts.looking(&account.name).ok()
}

/// Checks flags against what the driver said of itself, and then by the driver, if there is one here.
async fn check_one(
    driver: Option<Arc<dyn Driver>>,
    state: &State,
    template: &Template,
    end: Instant,
) -> Result<(), Refusal> {
    let Some(account) = state.accounts.get(&template.account) else {
        return Err(unknown_account(state, template));
    };
    if account.driver.name != template.driver {
        let owner = &account.driver.name;
        let rule = format!("{} is an account of driver {owner}, not of {}", account.name, template.driver);
        return Err(Refusal::field("template.account", rule));
    }
    flags::read(&account.driver.flags, template).map_err(refusal)?;
    let Some(driver) = driver else {
        return Ok(());
    };
    let late = |_| {
        let message = format!("{} did not check it within {} s", template.driver, CHECKED.as_secs());
        Err(DriverError::new(ErrorKind::Unavailable, message))
    };
    timeout_at(end, driver.check(template)).await.unwrap_or_else(late).map_err(refusal)
}

fn unknown_account(state: &State, template: &Template) -> Refusal {
    let known: BTreeSet<&str> = state.drivers.keys().map(skep_types::DriverName::as_str).collect();
    if known.contains(template.driver.as_str()) {
        let hint = format!("driver {} has no account {}", template.driver, template.account);
        return Refusal::field(
            "template.account",
            format!("is unknown: {hint}; `skep account ls` lists them"),
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
        ErrorKind::Throttled { .. } => Refusal::new(Code::Unavailable, message),
        // Another coordinator would hear the same from there.
        ErrorKind::Unavailable | ErrorKind::Ambiguous => Refusal::new(
            Code::Precondition,
            format!("the driver cannot say whether it can make that: {message}"),
        ),
        ErrorKind::Capacity | ErrorKind::Quota => Refusal::new(Code::Exhausted, message),
        ErrorKind::Auth | ErrorKind::NotFound | ErrorKind::Unsupported => {
            Refusal::new(Code::Precondition, message)
        }
        ErrorKind::Internal => Refusal::new(Code::Internal, message),
    }
}

#[cfg(test)]
mod tests;
