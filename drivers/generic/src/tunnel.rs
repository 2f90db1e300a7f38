//! A stream to a port of an adopted machine, through its SSH server.

use skep_driver::{DriverError, Tunnel};
use skep_ssh::Connection;
use skep_ssh::machine::Marker;

use crate::errors;

/// Keeps the connection. Only to the machine that is `id` still: it may be another host's by now.
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
    connection.loopback(port).await.map(Tunnel::new).map_err(errors::before)
}
