//! What drivers declare about themselves, and how instances are named. The trait itself stands in `skep-driver`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::names::{DriverName, ProviderId};

/// How an unknown outcome of a create call is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Idempotency {
    /// The identical call with the same token never makes more than was asked, for as long as the token is kept.
    Token { retention: Duration },
    /// A second instance of the same name is refused, so replaying finds the first.
    UniqueName,
    /// Nothing protects a second call: one attempt, and a lost one is never repeated by itself.
    None,
}

/// Whether the instances of one create call can be told apart when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SlotNaming {
    /// Each instance carries its slot's name and its own user-data.
    Named,
    /// All instances of a call get the same name tags and user-data; enrolment tells them apart by the address the
    /// driver observed.
    Interchangeable,
}

/// How many instances one create call may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Batch {
    pub max: u32,
    pub naming: SlotNaming,
}

/// What a driver can do. Committed with its account, so that planners need no driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverDescription {
    pub name: DriverName,
    pub flags: Vec<FlagDescription>,
    pub idempotency: Idempotency,
    pub batch: Batch,
    /// Create, power and destroy calls that may be under way at once.
    pub calls_in_flight_max: u32,
    /// How long after a create NotFound proves nothing.
    pub settle: Duration,
    pub power: bool,
    pub console: bool,
}

/// One create flag of a driver, as people give it to `skep create --NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagDescription {
    /// With the driver's prefix, such as `local-memory`.
    pub name: String,
    pub kind: FlagKind,
    pub usage: String,
    /// The value used when the flag is not given; empty for none.
    pub default: String,
    /// The environment variable the CLI reads when the flag is not given; empty for none.
    pub env: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FlagKind {
    String,
    Integer,
    Boolean,
    /// May be given several times; values are joined by commas.
    StringList,
}

/// Enough to find one instance again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstanceRef {
    pub provider_id: ProviderId,
    /// The name the instance was made under; the host's, for drivers that name their slots.
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PowerAction {
    Start,
    /// Orderly: the operating system shuts down.
    Stop,
    /// Orderly stop, then start.
    Restart,
    /// At once, as if the power were cut.
    Kill,
}
