//! Accounts, opened: one driver for each that is used here, and the bounds that its owner keeps.
//!
//! ```text
//! acting ─► MaxInFlight ─► Throttle ─► Deadline ─► Lazy(lease) ─┐
//!                                                              ├─► Opening: opens, and opens again when settings or
//! looking ──────────────── Throttle ─► Deadline ─► Lazy ──────┘   credentials changed ─► Kind ─► Driver
//! ```
//!
//! The bounds stand outside of what is opened anew: neither a rotation nor another program fills or empties a bucket. `upkeep`
//! closes what is not needed any more, and hands changed limits to calls that wait.

mod bounds;
mod command;
mod credentials;
mod lazy;
mod opening;
mod spent;
#[cfg(test)]
mod tests;
mod upkeep;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use skep_core::State;
use skep_core::state::Account;
use skep_driver::decorators::Deadline;
use skep_driver::{Driver, DriverError, ErrorKind};
use skep_types::{AccountName, ClusterTime, CoordinatorId};
use tokio::time::timeout;

use crate::clock::Clock;
use crate::context::Drivers;
use crate::owner::Lease;
use crate::trust::Sealer;
use bounds::Bounds;
pub(crate) use credentials::seal;
use lazy::Lazy;
use opening::Opening;
pub(crate) use upkeep::run as keep_up;

/// The accounts' records, as this coordinator knows them now.
pub(crate) type Records = Arc<dyn Fn(&AccountName) -> Option<Arc<Account>> + Send + Sync>;

/// Everything, as this coordinator knows it now, and what time it is there.
pub(crate) type Now = Arc<dyn Fn() -> (State, ClusterTime) + Send + Sync>;

/// Where drivers find and keep what is not in the log.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// In it, a folder for each account.
    pub(crate) state: PathBuf,
    pub(crate) agents: PathBuf,
    /// Programs that print credentials; None where none may be run.
    pub(crate) commands: Option<PathBuf>,
}

/// What is needed to open any account.
#[derive(Clone)]
pub(crate) struct Means {
    /// Of this coordinator.
    pub(crate) id: CoordinatorId,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) records: Records,
    pub(crate) now: Now,
    pub(crate) sealer: Sealer,
    pub(crate) places: Places,
    /// For one call of a driver.
    pub(crate) limit: Duration,
}

impl fmt::Debug for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Means")
            .field("id", &self.id)
            .field("places", &self.places)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// A person waits so long for an account to be opened: what is asked for next has to end as well before the client, after
/// 30 s, takes this coordinator for dead.
const OPENING: Duration = Duration::from_secs(10);

/// The accounts that were used here. Nothing is opened before its first call.
#[derive(Debug, Clone)]
pub struct Accounts {
    drivers: Drivers,
    means: Means,
    used: Arc<Mutex<BTreeMap<AccountName, Arc<Used>>>>,
}

#[derive(Debug)]
struct Used {
    opening: Arc<Opening>,
    /// Handed on when its driver is replaced.
    bounds: Arc<Bounds>,
}

impl Accounts {
    pub(crate) fn new(drivers: Drivers, means: Means) -> Self {
        Self { drivers, means, used: Arc::default() }
    }

    /// For an owner: calls wait for the bounds of its share of the account, and are not made without the lease.
    pub(crate) fn acting(&self, name: &AccountName, lease: &Lease) -> Result<Arc<dyn Driver>, DriverError> {
        let (account, used) = self.used(name)?;
        if account.share(self.means.id).shards.is_empty() {
            return Err(unavailable(format!("this coordinator does not own account {name}")));
        }
        let driver = Deadline::on(Lazy::on(&used.opening, Some(lease.clone())), self.means.limit);
        Ok(used.bounds.around(driver, &account, &self.means))
    }

    /// For anybody, and only to look: reads wait for a bucket of their own here, and nothing else waits.
    pub(crate) fn looking(&self, name: &AccountName) -> Result<Arc<dyn Driver>, DriverError> {
        let (account, used) = self.used(name)?;
        let driver = Deadline::on(Lazy::on(&used.opening, None), self.means.limit);
        Ok(used.bounds.around_looks(driver, &account))
    }

    /// Whether the account can be used now; opens it, if that is not done yet. The error is the driver's own.
    pub(crate) async fn ready(&self, name: &AccountName) -> Result<(), DriverError> {
        let (_, used) = self.used(name)?;
        used.opening.current().await.map(drop)
    }

    /// As [`Accounts::ready`], for a person who waits: late after a moment. The opening goes on beside the call, which may
    /// be given up: the next one shall find it opened, and not begin again.
    pub(crate) async fn ready_soon(&self, name: &AccountName) -> Result<(), DriverError> {
        let (accounts, asked) = (self.clone(), name.clone());
        let opening = tokio::spawn(async move { accounts.ready(&asked).await });
        let late = |_| unavailable(format!("account {name} is still being opened; try again in a moment"));
        let lost =
            |error| Err(DriverError::new(ErrorKind::Internal, "its opening was lost").caused_by(error));
        timeout(OPENING, opening).await.map_err(late)?.unwrap_or_else(lost)
    }

    fn used(&self, name: &AccountName) -> Result<(Arc<Account>, Arc<Used>), DriverError> {
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(account) = (self.means.records)(name) else {
            all.remove(name);
            return Err(unavailable(format!("there is no account {name}")));
        };
        let driver = &account.driver.name;
        // An account that was removed and made anew may be of another driver.
        let before = all.get(name).filter(|used| used.opening.kind().describe().name == *driver);
        let used = match (before, self.drivers.get(driver)) {
            // A program that has vanished serves whoever has it open, for as long as it runs.
            (Some(used), None) => Arc::clone(used),
            (Some(used), Some(kind)) if used.opening.is_of(&kind) => Arc::clone(used),
            (before, Some(kind)) => {
                let bounds = before.map(|used| Arc::clone(&used.bounds)).unwrap_or_default();
                let opening = Arc::new(Opening::new(name.clone(), kind, self.means.clone()));
                let used = Arc::new(Used { opening, bounds });
                all.insert(name.clone(), Arc::clone(&used));
                used
            }
            (None, None) => {
                return Err(unavailable(format!("this coordinator does not have the driver {driver}")));
            }
        };
        Ok((account, used))
    }
}

fn unavailable(message: String) -> DriverError {
    DriverError::new(ErrorKind::Unavailable, message)
}
