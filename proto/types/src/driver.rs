//! What drivers declare about themselves, and how instances are named. The trait itself stands in `skep-driver`.

use std::collections::BTreeMap;
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
    /// Of a template.
    pub flags: Vec<FlagDescription>,
    /// Of an account: an endpoint, a region. A template's flags never repeat them.
    pub account_flags: Vec<FlagDescription>,
    pub credentials: Vec<CredentialDescription>,
    pub way_in: WayIn,
    pub idempotency: Idempotency,
    pub batch: Batch,
    /// Create, power and destroy calls that may be under way at once.
    pub calls_in_flight_max: u32,
    /// What the endpoint takes, unless its account says otherwise.
    pub limits: Limits,
    /// How long after a create NotFound proves nothing.
    pub settle: Duration,
    pub power: PowerActions,
    pub console: bool,
    /// An instance is a machine that was there before, and stays when its host goes.
    pub adopts: bool,
    /// Instances can prove which they are, to an account that trusts the proof.
    pub attests: bool,
    /// Streams to an instance can be had through the driver's own way in.
    pub tunnels: bool,
    /// An instance's addresses may come to be known after it was made, and be others once it was started again: it is
    /// looked at for them.
    pub addresses_change: bool,
}

impl DriverDescription {
    /// Whether an account of it has to be made by somebody who holds them.
    pub fn needs_credentials(&self) -> bool {
        self.credentials.iter().any(|credential| credential.required)
    }
}

/// How the agent comes to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WayIn {
    /// The instance runs the rendered script at its first boot, and fetches the agent from a coordinator.
    UserData,
    /// The driver lays the agent in place over a connection of its own, within the create call.
    Ssh,
}

/// One secret, or file of secrets, that an account may hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialDescription {
    /// Such as `access-key`.
    pub name: String,
    pub usage: String,
    /// The environment variable the CLI reads when the credential is not given; empty for none.
    pub env: String,
    /// An account without it cannot work.
    pub required: bool,
}

/// What a call does to its endpoint. Clouds limit each class by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CallClass {
    Read,
    Create,
    Power,
    Destroy,
}

impl CallClass {
    pub const ALL: [Self; 4] = [Self::Read, Self::Create, Self::Power, Self::Destroy];

    pub fn label(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Power => "power",
            Self::Destroy => "destroy",
        }
    }
}

/// A token bucket: it holds `burst` at most, and gets `per_minute` back, evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bucket {
    pub per_minute: u32,
    pub burst: u32,
}

/// What an endpoint takes. A class without a bucket has no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// One token a call.
    pub calls: BTreeMap<CallClass, Bucket>,
    /// One token an instance of a call.
    pub instances: BTreeMap<CallClass, Bucket>,
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

/// The power actions a driver has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PowerActions {
    None,
    /// Nothing could start again what was stopped.
    Restart,
    All,
}

impl PowerActions {
    pub fn include(self, action: PowerAction) -> bool {
        match self {
            Self::None => false,
            Self::Restart => action == PowerAction::Restart,
            Self::All => true,
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Restart => "restart",
            Self::All => "all",
        }
    }
}
