//! One account's driver: opened with what its record says, and again when that has changed.
//!
//! ```text
//! read ─► open ─► calls … ─┬─ 5 minutes before they expire ──────┬─► read ─► others: open · the same: go on
//!                          └─ refused (Auth), read a minute ago ─┘      └─► fails: go on until they expire
//! ```
//! What is stored is read again when its record changes, and never else.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use skep_core::state::{Account, CredentialSource};
use skep_driver::{Access, Driver, DriverError, ErrorKind, Kind};
use skep_types::AccountName;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::credentials::{self, Credentials};
use super::{Means, unavailable};

/// For a driver to start: a program has to come up and to be told of its account.
const OPEN: Duration = Duration::from_secs(60);
/// Credentials are read again this long before they expire; or when a tenth of their life is left, if that is less.
const AHEAD: Duration = Duration::from_secs(300);
/// Between tries to read them again, while the ones before are still good.
const AGAIN: Duration = Duration::from_secs(30);
/// Credentials that a call was refused with are read again if they are older than this: a command that goes on printing
/// what is refused is not run for every call.
const REFUSED: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Opening {
    account: AccountName,
    kind: Arc<dyn Kind>,
    means: Means,
    /// Held while it is opened: whoever comes meanwhile waits for the same.
    opened: Mutex<Option<Opened>>,
}

#[derive(Debug)]
struct Opened {
    options: BTreeMap<String, String>,
    source: CredentialSource,
    credentials: Credentials,
    /// When that was last tried, since this machine booted.
    read: Duration,
    /// None: never.
    read_again: Option<Duration>,
    /// When somebody last asked for it.
    used: Duration,
    driver: Arc<dyn Driver>,
}

impl Opening {
    pub(super) fn new(account: AccountName, kind: Arc<dyn Kind>, means: Means) -> Self {
        Self { account, kind, means, opened: Mutex::default() }
    }

    pub(super) fn is_of(&self, kind: &Arc<dyn Kind>) -> bool {
        Arc::ptr_eq(&self.kind, kind)
    }

    pub(super) fn kind(&self) -> &dyn Kind {
        self.kind.as_ref()
    }

    pub(super) fn account(&self) -> &AccountName {
        &self.account
    }

    /// The driver as the account is now. One that was opened before lives until its calls have ended.
    pub(super) async fn current(&self) -> Result<Arc<dyn Driver>, DriverError> {
        let account = (self.means.records)(&self.account)
            .ok_or_else(|| unavailable(format!("there is no account {}", self.account)))?;
        let mut opened = self.opened.lock().await;
        let same = opened.as_mut().filter(|opened| opened.is_of(&account));
        let Some(same) = same else {
            let credentials = self.credentials(&account).await?;
            return Ok(opened.insert(self.open(&account, credentials).await?).driver.clone());
        };
        same.used = self.means.clock.boottime();
        if same.read_again.is_none_or(|at| same.used < at) {
            return Ok(same.driver.clone());
        }
        self.renew(&account, same).await?;
        Ok(same.driver.clone())
    }

    /// Unless somebody opens it at this moment. Drivers that make tunnels stay: these last, unseen from here, until the
    /// driver ends.
    pub(super) fn close_if_idle(&self, after: Duration) {
        let Ok(mut opened) = self.opened.try_lock() else { return };
        let now = self.means.clock.boottime();
        let idle = |opened: &mut Opened| now.saturating_sub(opened.used) >= after;
        if !self.kind.describe().tunnels && opened.take_if(idle).is_some() {
            tracing::info!(account = %self.account, "account closed: it is not used here");
        }
    }

    /// A call of `driver` was refused for its credentials. Whether the account has another driver now.
    pub(super) async fn refused(&self, driver: &Arc<dyn Driver>) -> bool {
        let Some(account) = (self.means.records)(&self.account) else { return false };
        let mut opened = self.opened.lock().await;
        let Some(same) = opened.as_mut().filter(|opened| opened.is_of(&account)) else { return true };
        let printed = matches!(same.source, CredentialSource::Command { .. });
        let old = self.means.clock.boottime().saturating_sub(same.read) >= REFUSED;
        if Arc::ptr_eq(&same.driver, driver) && printed && old {
            tracing::info!(account = %self.account, "a call was refused for its credentials; they are read again");
            // What was wrong with the call is told by the call.
            let _told = self.renew(&account, same).await;
        }
        !Arc::ptr_eq(&same.driver, driver)
    }

    /// Reads the credentials again. An error once those before have expired; until then it is said, and they are used.
    async fn renew(&self, account: &Account, before: &mut Opened) -> Result<(), DriverError> {
        let renewed = self.renewed(account, before).await;
        before.read = self.means.clock.boottime();
        match renewed {
            Err(error) if before.credentials.expired(self.means.clock.wall()) => Err(error),
            Err(error) => {
                let good_until = before.credentials.expires_at;
                tracing::warn!(account = %self.account, %error, good_until, "credentials were not read again; they are still good");
                before.read_again = before.read_again.map(|at| at.max(before.read + AGAIN));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// The same driver goes on where nothing but the time has changed.
    async fn renewed(&self, account: &Account, before: &mut Opened) -> Result<(), DriverError> {
        let credentials = self.credentials(account).await?;
        if credentials.values == before.credentials.values {
            before.read_again = self.read_again(&credentials);
            before.credentials = credentials;
        } else {
            *before = self.open(account, credentials).await?;
        }
        Ok(())
    }

    async fn credentials(&self, account: &Account) -> Result<Credentials, DriverError> {
        credentials::read(account, &self.means).await
    }

    fn read_again(&self, credentials: &Credentials) -> Option<Duration> {
        let clock = &self.means.clock;
        let left = Duration::from_secs(credentials.expires_at?.saturating_sub(clock.wall().0));
        Some(clock.boottime() + left.saturating_sub(AHEAD.min(left / 10)))
    }

    async fn open(&self, account: &Account, credentials: Credentials) -> Result<Opened, DriverError> {
        let access = Access {
            account: self.account.clone(),
            options: account.settings.options.clone(),
            credentials: credentials.values.clone(),
            state_dir: self.folder()?,
            agents_dir: self.means.places.agents.clone(),
        };
        let late = |_| unavailable(format!("the driver did not start within {} s", OPEN.as_secs()));
        let driver = timeout(OPEN, self.kind.open(access)).await.map_err(late)??;
        tracing::info!(account = %self.account, driver = %account.driver.name, "account opened");
        Ok(Opened {
            options: account.settings.options.clone(),
            source: account.settings.credentials.clone(),
            read: self.means.clock.boottime(),
            read_again: self.read_again(&credentials),
            used: self.means.clock.boottime(),
            credentials,
            driver,
        })
    }

    fn folder(&self) -> Result<PathBuf, DriverError> {
        let folder = self.means.places.state.join(self.account.as_str());
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        let failed = |error| {
            let message = format!("the account's folder {} cannot be made", folder.display());
            DriverError::new(ErrorKind::Unavailable, message).caused_by(error)
        };
        made.map_err(failed).map(|()| folder.clone())
    }
}

impl Opened {
    /// Owners come and go, and limits change, without another opening.
    fn is_of(&self, account: &Account) -> bool {
        self.options == account.settings.options && self.source == account.settings.credentials
    }
}
