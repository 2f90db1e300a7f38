//! Reboots a machine, and sees that it goes down.
//!
//! ```text
//! reach (patiently: it may be booting) ─► which boot ─► reboot ─► until another boot answers, or none does
//! ```
//! That it comes back is not waited for: a large machine takes minutes, and its agent tells. Nothing is remembered, so a
//! call that is made again reboots again, as often as it is made.

use std::time::Duration;

use skep_driver::{DriverError, ErrorKind};
use skep_ssh::Connection;
use skep_ssh::machine::{Marker, Power};
use tokio::time::{Instant, sleep};

use crate::access::Account;
use crate::errors;
use crate::instance::Kept;
use crate::reach::reach;

/// For a machine that somebody restarted a moment ago to let anybody in again.
const BOOTING: Duration = Duration::from_secs(25);
/// Most machines stop in seconds. One that takes longer is told again, which changes nothing there.
const STOPPING: Duration = Duration::from_secs(45);
const PAUSE: Duration = Duration::from_secs(1);

pub(crate) async fn restart(account: &Account, kept: &Kept, marker: &Marker) -> Result<(), DriverError> {
    let connection = reach_patiently(account, kept).await?;
    let before = connection.state().await.map_err(errors::before)?.boot;
    let begun = Instant::now();
    connection.power(marker, Power::Reboot).await.map_err(errors::amid)?;
    let address = connection.address().to_owned();
    drop(connection);
    loop {
        // Who does not answer, or lets nobody in any more, is on the way down.
        let Ok(boot) = boot(account, kept).await else { return Ok(()) };
        if boot != before {
            return Ok(());
        }
        if begun.elapsed() > STOPPING {
            let after = begun.elapsed().as_secs();
            let message = format!(
                "{address} was told to reboot {after} s ago and still runs the same boot; `systemctl list-jobs` there \
                 says what it waits for"
            );
            return Err(DriverError::new(ErrorKind::Unavailable, message));
        }
        sleep(PAUSE).await;
    }
}

async fn reach_patiently(account: &Account, kept: &Kept) -> Result<Connection, DriverError> {
    let until = Instant::now() + BOOTING;
    loop {
        match reach(account, kept).await {
            Err(error) if error.kind == ErrorKind::Unavailable && Instant::now() < until => {
                sleep(PAUSE).await;
            }
            result => return result,
        }
    }
}

async fn boot(account: &Account, kept: &Kept) -> Result<String, DriverError> {
    let connection = reach(account, kept).await?;
    let state = connection.state().await.map_err(errors::before)?;
    connection.close().await;
    Ok(state.boot)
}
