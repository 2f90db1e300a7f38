//! One account's driver: opened with what its record says, and again when that has changed.
//!
//! ```text
//! read ─► open ─► calls … ─┬─ 5 minutes before they expire ──────┬─► read ─► others: open · the same: go on
//!                          └─ refused (Auth), read a minute ago ─┘      └─► fails: go on until they expire
//! ```
//! What is stored is read again when its record changes, and never else.

mod kept;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use skep_core::state::{Account, CredentialSource};
use skep_driver::{Access, Driver, DriverError, ErrorKind, Kind};
use skep_types::AccountName;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::credentials::{self, Credentials};
use super::{Means, unavailable};
use kept::{Failed, Kept, Opened, Settings};

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
    /// So far.
    failures: AtomicU64,
    /// Held while it is opened: whoever comes meanwhile waits for the same, and gets the same answer.
    kept: Mutex<Kept>,
}

impl Opening {
    pub(super) fn new(account: AccountName, kind: Arc<dyn Kind>, means: Means) -> Self {
        Self { account, kind, means, failures: AtomicU64::new(0), kept: Mutex::default() }
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
        let failures = self.failures.load(Ordering::Relaxed);
        let mut kept = self.kept.lock().await;
        // Not before: it may have changed while this one waited.
        let account = self.record()?;
        let clock = self.means.clock.as_ref();
        if let Some(opened) = kept.opened_of(&account) {
            opened.used = clock.boottime();
            if opened.is_good(clock) {
                return Ok(Arc::clone(&opened.driver));
            }
        }
        if let Some(error) = kept.failed_since(failures, &account) {
            return Err(error);
        }
        let tried = self.open_or_renew(&account, &mut kept).await;
        if let Err(error) = &tried {
            let number = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
            kept.failed = Some(Failed::of(number, &account, error));
        }
        tried
    }

    fn record(&self) -> Result<Arc<Account>, DriverError> {
        let none = || unavailable(format!("there is no account {}", self.account));
        (self.means.records)(&self.account).ok_or_else(none)
    }

    async fn open_or_renew(
        &self,
        account: &Account,
        kept: &mut Kept,
    ) -> Result<Arc<dyn Driver>, DriverError> {
        if let Some(opened) = kept.opened_of(account) {
            self.renew(account, opened).await?;
            return Ok(Arc::clone(&opened.driver));
        }
        let credentials = self.credentials(account).await?;
        let opened = kept.opened.insert(self.open(account, credentials).await?);
        Ok(Arc::clone(&opened.driver))
    }

    /// Unless somebody opens it at this moment. Drivers that make tunnels stay: these last, unseen from here, until the
    /// driver ends.
    pub(super) fn close_if_idle(&self, after: Duration) {
        let Ok(mut kept) = self.kept.try_lock() else { return };
        let now = self.means.clock.boottime();
        let idle = |opened: &mut Opened| now.saturating_sub(opened.used) >= after;
        if !self.kind.describe().tunnels && kept.opened.take_if(idle).is_some() {
            tracing::info!(account = %self.account, "account closed: it is not used here");
        }
    }

    /// A call of `driver` was refused for its credentials. Whether it is worth another try.
    pub(super) async fn refused(&self, driver: &Arc<dyn Driver>) -> bool {
        let mut kept = self.kept.lock().await;
        let Ok(account) = self.record() else { return false };
        let Some(same) = kept.opened_of(&account) else { return true };
        let printed = matches!(same.settings.source, CredentialSource::Command { .. });
        let old = self.means.clock.boottime().saturating_sub(same.read) >= REFUSED;
        let expired = |opened: &Opened| opened.credentials.expired(self.means.clock.wall());
        if Arc::ptr_eq(&same.driver, driver) && printed && old && !expired(same) {
            tracing::info!(account = %self.account, "a call was refused for its credentials; they are read again");
            // What was wrong with the call is told by the call.
            let _told = self.renew(&account, same).await;
        }
        // Of those that have expired since the call was made, its refusal says nothing: the next try reads them again.
        !Arc::ptr_eq(&same.driver, driver) || expired(same)
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
            settings: Settings::of(account),
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
