//! From a machine to a connection: who logs in there, with what, expecting which key.

use std::path::Path;

use skep_driver::{DriverError, ErrorKind};
use skep_ssh::config::parse_place;
use skep_ssh::{Connection, Deadlines, Hop, HostKeys, Identity, Login, Route, connect};
use skep_types::Secret;
use tokio::fs;

use crate::access::Account;
use crate::errors;
use crate::instance::{Kept, Pin};
use crate::options::{DEFAULT_PORT, DEFAULT_USER};

/// A key file is a few KiB; whatever else the path names is no key.
const KEY_BYTES_MAX: u64 = 64 * 1024;

pub(crate) async fn reach(account: &Account, kept: &Kept) -> Result<Connection, DriverError> {
    connect(&route(account, kept).await?).await.map_err(errors::before)
}

async fn route(account: &Account, kept: &Kept) -> Result<Route, DriverError> {
    let machine = &kept.machine;
    let mut identities = Vec::with_capacity(account.identities.len() + 1);
    if let Some(file) = &machine.key {
        identities.push(key_file(file, account.passphrase.as_ref()).await?);
    }
    identities.extend(account.identities.iter().cloned());
    let user = machine.user.clone().unwrap_or_else(|| DEFAULT_USER.to_owned());
    let hop = |host: String, port: Option<u16>, user: String| Hop {
        host,
        port: port.unwrap_or(DEFAULT_PORT),
        login: Login { user, identities: identities.clone(), sudo_password: account.sudo_password.clone() },
        keys: HostKeys {
            known_hosts: account.known_hosts.clone(),
            stranger: account.stranger,
            ..HostKeys::default()
        },
    };
    let mut target = hop(machine.address.clone(), machine.port, user.clone());
    for fingerprint in &machine.host_keys {
        target.keys.expect_fingerprint(fingerprint).map_err(|why| internal(&why))?;
    }
    let mut jumps = Vec::with_capacity(machine.jumps.len());
    for jump in &machine.jumps {
        let place = parse_place(jump).map_err(|why| internal(&why))?;
        jumps.push(hop(place.host, place.port, place.user.unwrap_or_else(|| user.clone())));
    }
    for hop in jumps.iter_mut().chain([&mut target]) {
        pin(hop, &kept.pins)?;
    }
    Ok(Route { jumps, target, deadlines: Deadlines::default() })
}

fn pin(hop: &mut Hop, pins: &[Pin]) -> Result<(), DriverError> {
    let address = hop.to_string();
    for pin in pins.iter().filter(|pin| pin.address == address) {
        hop.keys.pin(&pin.key).map_err(|kind| errors::before(kind.into()))?;
    }
    Ok(())
}

/// With the certificate that stands beside it, if one does.
pub(crate) async fn key_file(file: &str, passphrase: Option<&Secret>) -> Result<Identity, DriverError> {
    let path = Path::new(file);
    let unreadable = |error: std::io::Error| {
        let message = format!("the private key {file} cannot be read on this coordinator");
        DriverError::new(ErrorKind::Auth, message).caused_by(error)
    };
    if fs::metadata(path).await.map_err(unreadable)?.len() > KEY_BYTES_MAX {
        return Err(DriverError::new(ErrorKind::Auth, format!("{file} is too large for a private key")));
    }
    let pem = Secret::new(fs::read_to_string(path).await.map_err(unreadable)?);
    let key = Identity::key(file, &pem, passphrase).map_err(errors::before)?;
    match fs::read_to_string(format!("{file}-cert.pub")).await {
        Ok(certificate) => key.certified(&certificate).map_err(errors::before),
        Err(_) => Ok(key),
    }
}

fn internal(why: &str) -> DriverError {
    DriverError::new(ErrorKind::Internal, format!("a machine that was accepted is refused: {why}"))
}
