//! The cluster itself: its trust, its coordinators and its people.

use skep_types::{
    ClusterId, ClusterTime, CoordinatorId, Digest, DriverName, PersonName, PersonRole, Revision, SealedIssuer,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    pub id: ClusterId,
    pub issuers: Issuers,
}

/// The cluster's three certificate authorities, their keys sealed under the cluster key.
#[derive(Debug, Clone, PartialEq)]
pub struct Issuers {
    pub raft: SealedIssuer,
    pub control: SealedIssuer,
    pub docker: SealedIssuer,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Coordinator {
    pub id: CoordinatorId,
    pub revision: Revision,
    /// HOST:PORT of the control port.
    pub address: String,
    pub raft_address: String,
    /// Of its raft key: only its holder may speak for it.
    pub raft_key: Digest,
    pub control_key: Digest,
    pub drivers: Vec<DriverName>,
    /// Driver programs that it found and cannot use.
    pub broken: Vec<BrokenProgram>,
    pub version: String,
    /// Of its running process.
    pub process: u64,
    /// On its way out of the raft group; its id is never used again.
    pub removed: bool,
}

/// For people to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenProgram {
    /// Of the driver it would be.
    pub name: String,
    /// The file.
    pub program: String,
    pub reason: String,
}

/// The right to become a coordinator, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinToken {
    pub expires_at: ClusterTime,
    /// Who used it: the same keys get the same answer again.
    pub redeemed_by: Option<CoordinatorId>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    pub name: PersonName,
    pub revision: Revision,
    pub role: PersonRole,
    /// Certificates of an older generation are worth nothing.
    pub certificate_generation: u64,
}
