//! An account's credentials: unsealed, or printed by a command.

use std::collections::BTreeMap;

use skep_core::state::{Account, CredentialSource};
use skep_driver::{DriverError, ErrorKind};
use skep_tls::WallTime;
use skep_types::{AccountName, Secret};

use super::{Means, command};
use crate::trust::{Sealer, TrustError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) values: BTreeMap<String, Secret>,
    /// Seconds of the Unix epoch; None for never.
    pub(super) expires_at: Option<u64>,
}

impl Credentials {
    pub(super) fn expired(&self, now: WallTime) -> bool {
        self.expires_at.is_some_and(|at| at <= now.0)
    }
}

/// For this account and this credential alone.
fn resource(account: &AccountName, credential: &str) -> String {
    format!("credential/{account}/{credential}")
}

pub(crate) fn seal(
    sealer: &Sealer,
    account: &AccountName,
    credentials: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Vec<u8>>, TrustError> {
    let one = |(name, value): (&String, &String)| {
        Ok((name.clone(), sealer.seal(&resource(account, name), value.as_bytes())?))
    };
    credentials.iter().map(one).collect()
}

pub(super) async fn read(account: &Account, means: &Means) -> Result<Credentials, DriverError> {
    match &account.settings.credentials {
        CredentialSource::Stored { sealed } => unsealed(account, &means.sealer, sealed),
        CredentialSource::Command { name, arguments } => {
            let printed = command::run(means.places.commands.as_deref(), name, arguments).await?;
            fitting(account, name, &printed, means.clock.wall())?;
            Ok(printed)
        }
    }
}

fn unsealed(
    account: &Account,
    sealer: &Sealer,
    sealed: &BTreeMap<String, Vec<u8>>,
) -> Result<Credentials, DriverError> {
    let mut values = BTreeMap::new();
    for (name, sealed) in sealed {
        let wrong = |error: TrustError| {
            let message = format!("the credential {name} cannot be unsealed; rotate it");
            DriverError::new(ErrorKind::Auth, message).caused_by(error)
        };
        let bytes = sealer.open(&resource(&account.name, name), sealed).map_err(wrong)?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            DriverError::new(ErrorKind::Auth, format!("the credential {name} is no text")).caused_by(error)
        })?;
        values.insert(name.clone(), Secret::new(text));
    }
    Ok(Credentials { values, expires_at: None })
}

/// What the driver needs is there, and nothing it does not know.
fn fitting(
    account: &Account,
    command: &str,
    printed: &Credentials,
    now: WallTime,
) -> Result<(), DriverError> {
    let known = &account.driver.credentials;
    let missing = known.iter().find(|known| known.required && !printed.values.contains_key(&known.name));
    let strange = printed.values.keys().find(|name| !known.iter().any(|known| known.name == **name));
    let wrong = match (missing, strange) {
        (Some(missing), _) => format!("printed no {}", missing.name),
        (None, Some(strange)) => format!("printed a credential {strange:?}, which the driver does not know"),
        (None, None) if printed.expired(now) => "printed credentials that have expired".to_owned(),
        (None, None) => return Ok(()),
    };
    Err(DriverError::new(ErrorKind::Auth, format!("the credential command {command} {wrong}")))
}
