//! What the driver declares about itself.

use std::time::Duration;

use skep_types::{
    Batch, DriverDescription, DriverName, Idempotency, Limits, PowerActions, SlotNaming, WayIn,
};

use crate::options;

/// Slots of one call, and calls at once: 16 hosts boot together at most four times over, which two cores bear.
const BATCH: u32 = 16;
const CALLS_IN_FLIGHT: u32 = 4;

pub(crate) fn description(name: DriverName) -> DriverDescription {
    DriverDescription {
        name,
        flags: options::flags(),
        account_flags: Vec::new(),
        credentials: Vec::new(),
        way_in: WayIn::UserData,
        idempotency: Idempotency::UniqueName,
        batch: Batch { max: BATCH, naming: SlotNaming::Named },
        calls_in_flight_max: CALLS_IN_FLIGHT,
        limits: Limits::default(),
        // The engine's lists show a container as soon as its creation is answered.
        settle: Duration::ZERO,
        power: PowerActions::All,
        adopts: false,
        attests: false,
        tunnels: false,
        addresses_change: false,
        console: true,
    }
}
