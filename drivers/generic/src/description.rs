//! What the driver declares about itself.

use std::time::Duration;

use skep_driver::{DriverError, ErrorKind};
use skep_types::{Batch, DriverDescription, Idempotency, Limits, PowerActions, SlotNaming, WayIn};

use crate::{access, options};

pub(crate) const NAME: &str = "generic";

/// Machines that are adopted at once: two cores keep up with as many handshakes, and each machine works for itself.
const CALLS_IN_FLIGHT: u32 = 32;

pub(crate) fn description() -> Result<DriverDescription, DriverError> {
    let name = NAME.parse().map_err(|error| {
        DriverError::new(ErrorKind::Internal, "the driver's own name is refused").caused_by(error)
    })?;
    Ok(DriverDescription {
        name,
        flags: options::flags(),
        account_flags: access::flags(),
        credentials: access::credentials(),
        way_in: WayIn::Ssh,
        idempotency: Idempotency::UniqueName,
        // Each machine has a connection of its own: one slow machine delays no other.
        batch: Batch { max: 1, naming: SlotNaming::Named },
        calls_in_flight_max: CALLS_IN_FLIGHT,
        limits: Limits::default(),
        // A marker is there once its machine said so.
        settle: Duration::ZERO,
        // Nothing over SSH starts a machine that is off, so none is turned off.
        power: PowerActions::Restart,
        adopts: true,
        attests: false,
        tunnels: true,
        addresses_change: false,
        console: false,
    })
}
