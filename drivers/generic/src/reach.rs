//! From a machine to a connection: who logs in there, with what, expecting which key.

use skep_driver::{DriverError, ErrorKind};
use skep_ssh::{Connection, Deadlines, Hop, HostKeys, Identity, Login, Route, connect};

use crate::access::Account;
use crate::instance::{Kept, Pin};
use crate::way::{Server, way};
use crate::{errors, key_files};

pub(crate) async fn reach(account: &Account, kept: &Kept) -> Result<Connection, DriverError> {
    connect(&route(account, kept).await?).await.map_err(errors::before)
}

async fn route(account: &Account, kept: &Kept) -> Result<Route, DriverError> {
    let machine = &kept.machine;
    let way = way(&account.ssh_config, machine).map_err(|why| errors::unreachable(&why))?;
    let key = match &machine.key {
        Some(file) => Some(key_files::named(file, account.passphrase.as_ref(), account.rsa).await?),
        None => None,
    };
    let mut target = hop(account, way.target, key.as_ref()).await;
    for fingerprint in &machine.host_keys {
        target.keys.expect_fingerprint(fingerprint).map_err(|why| internal(&why))?;
    }
    let mut jumps = Vec::with_capacity(way.jumps.len());
    for server in way.jumps {
        jumps.push(hop(account, server, key.as_ref()).await);
    }
    for hop in jumps.iter_mut().chain([&mut target]) {
        pin(hop, &kept.pins)?;
    }
    Ok(Route { jumps, target, deadlines: Deadlines::default() })
}

/// The machine's own key is tried first, then the SSH configuration's, then the account's.
async fn hop(account: &Account, server: Server, key: Option<&Identity>) -> Hop {
    let mut identities: Vec<Identity> = key.cloned().into_iter().collect();
    identities.extend(key_files::configured(&server, account.passphrase.as_ref(), account.rsa).await);
    identities.extend(account.identities.iter().cloned());
    let sudo_password = account.sudo_password.clone();
    Hop {
        host: server.host,
        port: server.port,
        login: Login { user: server.user, identities, sudo_password },
        keys: HostKeys {
            known_hosts: account.known_hosts.clone(),
            stranger: account.stranger,
            ..HostKeys::default()
        },
        rsa: account.rsa,
    }
}

fn pin(hop: &mut Hop, pins: &[Pin]) -> Result<(), DriverError> {
    let address = hop.to_string();
    for pin in pins.iter().filter(|pin| pin.address == address) {
        hop.keys.pin(&pin.key).map_err(|kind| errors::before(kind.into()))?;
    }
    Ok(())
}

fn internal(why: &str) -> DriverError {
    DriverError::new(ErrorKind::Internal, format!("a machine that was accepted is refused: {why}"))
}
