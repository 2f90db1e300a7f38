//! A stream to a port of an adopted machine, through its SSH server.

use std::time::Duration;

use skep_driver::{DriverError, Tunnel};
use skep_ssh::Connection;
use skep_ssh::machine::Marker;

use crate::errors;

/// As the machine calls itself: no firewall stands there.
const LOOPBACK: &str = "127.0.0.1";
/// Whoever listens there answers at once.
const OPEN: Duration = Duration::from_secs(10);

/// Keeps the connection, and ends with it. Only to the machine that is `id` still: it may be another host's by now.
pub(crate) async fn tunnel(
    connection: &Connection,
    marker: &Marker,
    id: &str,
    port: u16,
) -> Result<Tunnel, DriverError> {
    let state = connection.state().await.map_err(errors::before)?;
    if !state.marker.is_some_and(|there| there.is_same_host(marker)) {
        return Err(errors::not_found(id));
    }
    let stream = connection.forward(LOOPBACK, port, OPEN).await.map_err(errors::before)?;
    Ok(Tunnel::new(stream))
}
