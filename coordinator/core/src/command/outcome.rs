//! What drivers did, told by the owner of the account with its epoch. An outcome of an older epoch changes nothing.

use std::net::IpAddr;
use std::time::Duration;

use skep_types::{HostId, InstanceRef, IntentId, ProviderId};

#[derive(Debug, Clone, PartialEq)]
pub enum OutcomeCommand {
    /// Committed before the call where nothing protects a second one. `attempt` is drawn for each call: the same again
    /// is Done again, for an answer may be lost.
    MarkAttempted { intent: IntentId, epoch: u64, attempt: u64 },
    /// The account, or its provider, cannot be used: what the intent waits for, or None once that is over.
    Hold { intent: IntentId, epoch: u64, problem: Option<String> },
    /// A set union: of placements already known only what is kept is taken over, as the newer one.
    Bind { intent: IntentId, epoch: u64, placements: Vec<Placement> },
    /// What a create that failed has left, or may have: bound to be destroyed with their hosts, which fail for the
    /// reason.
    Remains { intent: IntentId, epoch: u64, placements: Vec<Placement>, reason: String },
    /// The create call is over: no more instances will come of this intent.
    CloseCreate { intent: IntentId, epoch: u64, shortfall: Option<Shortfall> },
    /// One result per target, in their order.
    CloseTargets { intent: IntentId, epoch: u64, results: Vec<Result<(), Failure>> },
    /// An instance that carries this cluster's tag and belongs to no host: destroyed after two looks.
    DestroyOrphan {
        account: skep_types::AccountName,
        epoch: u64,
        instance: InstanceRef,
        intent: Option<IntentId>,
    },
    /// Where instances were seen to be.
    Addressed { account: skep_types::AccountName, epoch: u64, instances: Vec<Addresses> },
}

/// Of an instance that runs: without a public address, it has none now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    pub host: HostId,
    pub provider_id: ProviderId,
    pub private_address: Option<IpAddr>,
    pub public_address: Option<IpAddr>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The slot's host, where slots are named.
    pub host: Option<HostId>,
    pub instance: InstanceRef,
    pub private_address: Option<IpAddr>,
    pub public_address: Option<IpAddr>,
    pub zone: String,
    /// What the driver wants back with every later call; sealed for the instance.
    pub sealed_kept: Option<Vec<u8>>,
}

/// Why fewer instances came than asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    pub kind: FailureKind,
    pub message: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    pub message: String,
}

/// What a driver's failure means for the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Goes by itself: the same again, after this long.
    Passing { retry_after: Duration },
    /// Of this zone or type: another try may find some.
    Capacity,
    /// Only a person can mend it (quota, credentials, the template).
    Lasting,
    /// The effect may exist, and nothing can tell: only for drivers without protection.
    Unknown,
    /// The provider knows no such instance, which proves nothing within the driver's settle window.
    Gone,
    /// The provider never does this to such an instance; nothing was done.
    Unsupported,
}
