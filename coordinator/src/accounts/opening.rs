//! One account's driver: opened with what its record says, and again when that has changed.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use skep_core::state::{Account, CredentialSource};
use skep_driver::{Access, Driver, DriverError, ErrorKind, Kind};
use skep_tls::wall_now;
use skep_types::AccountName;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::credentials::{self, Credentials};
use super::{Means, unavailable};

/// For a driver to start: a program has to come up and to be told of its account.
const OPEN: Duration = Duration::from_secs(60);
/// Credentials are read again this long before they expire; or when a tenth of their life is left, if that is less.
const AHEAD: Duration = Duration::from_secs(300);
/// Between tries to read them again, while the ones before are still good.
const AGAIN: Duration = Duration::from_secs(30);

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
    /// None: never.
    read_again: Option<Instant>,
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
        if same.read_again.is_none_or(|at| Instant::now() < at) {
            return Ok(same.driver.clone());
        }
        match self.renewed(&account, same).await {
            Ok(driver) => Ok(driver),
            Err(error) if same.credentials.expired() => Err(error),
            Err(error) => {
                tracing::warn!(account = %self.account, %error, "credentials were not read again; they are still good");
                same.read_again = Some(Instant::now() + AGAIN);
                Ok(same.driver.clone())
            }
        }
    }

    /// The same driver goes on where nothing but the time has changed.
    async fn renewed(&self, account: &Account, before: &mut Opened) -> Result<Arc<dyn Driver>, DriverError> {
        let credentials = self.credentials(account).await?;
        if credentials.values == before.credentials.values {
            before.read_again = read_again(&credentials);
            before.credentials = credentials;
        } else {
            *before = self.open(account, credentials).await?;
        }
        Ok(before.driver.clone())
    }

    async fn credentials(&self, account: &Account) -> Result<Credentials, DriverError> {
        credentials::read(account, &self.means.sealer, self.means.places.commands.as_deref()).await
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
            read_again: read_again(&credentials),
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

fn read_again(credentials: &Credentials) -> Option<Instant> {
    let left = Duration::from_secs(credentials.expires_at?.saturating_sub(wall_now().0));
    Some(Instant::now() + left.saturating_sub(AHEAD.min(left / 10)))
}
