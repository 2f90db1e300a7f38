//! What openings of an account have come to: a driver, and why the last one failed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use skep_core::state::{Account, CredentialSource};
use skep_driver::{Driver, DriverError};
use skep_types::chain;

use super::super::credentials::Credentials;
use crate::clock::Clock;

#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) opened: Option<Opened>,
    pub(super) failed: Option<Failed>,
}

/// What of a record an account is opened with: owners come and go, and limits change, without another opening.
#[derive(Debug)]
pub(super) struct Settings {
    options: BTreeMap<String, String>,
    pub(super) source: CredentialSource,
}

#[derive(Debug)]
pub(super) struct Opened {
    pub(super) settings: Settings,
    pub(super) credentials: Credentials,
    /// When that was last tried, since this machine booted.
    pub(super) read: Duration,
    /// None: never.
    pub(super) read_again: Option<Duration>,
    /// When somebody last asked for it.
    pub(super) used: Duration,
    pub(super) driver: Arc<dyn Driver>,
}

#[derive(Debug)]
pub(super) struct Failed {
    /// Of the failures so far: whoever came before it has waited for this one, and need not try again.
    pub(super) number: u64,
    settings: Settings,
    error: DriverError,
}

impl Settings {
    pub(super) fn of(account: &Account) -> Self {
        let settings = &account.settings;
        Self { options: settings.options.clone(), source: settings.credentials.clone() }
    }

    pub(super) fn are_of(&self, account: &Account) -> bool {
        self.options == account.settings.options && self.source == account.settings.credentials
    }
}

impl Kept {
    /// What is open, where it is of the account as it is now.
    pub(super) fn opened_of(&mut self, account: &Account) -> Option<&mut Opened> {
        self.opened.as_mut().filter(|opened| opened.settings.are_of(account))
    }

    /// How the same ended for others since there had been so many failures.
    pub(super) fn failed_since(&self, failures: u64, account: &Account) -> Option<DriverError> {
        let failed = self.failed.as_ref().filter(|failed| failed.number > failures)?;
        failed.settings.are_of(account).then(|| told_again(&failed.error))
    }
}

impl Opened {
    /// Whether calls may go on with it, and nothing has to be read again first.
    pub(super) fn is_good(&self, clock: &dyn Clock) -> bool {
        let due = self.read_again.is_some_and(|at| at <= clock.boottime());
        !due && !self.credentials.expired(clock.wall())
    }
}

impl Failed {
    pub(super) fn of(number: u64, account: &Account, error: &DriverError) -> Self {
        Self { number, settings: Settings::of(account), error: told_again(error) }
    }
}

/// The same for somebody else. A source is handed on as its text.
fn told_again(error: &DriverError) -> DriverError {
    let told = DriverError::new(error.kind.clone(), error.message.clone());
    match &error.source {
        Some(source) => told.caused_by(chain(source.as_ref())),
        None => told,
    }
}
