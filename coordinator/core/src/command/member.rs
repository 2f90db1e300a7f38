//! What coordinators say of themselves.

use skep_types::{AccountName, ClusterId, CoordinatorId, Digest, DriverDescription, PersonName};

use crate::state::{BrokenProgram, Issuers};

#[derive(Debug, Clone, PartialEq)]
pub enum MemberCommand {
    /// The first entry of a cluster's life.
    Found(Box<Founding>),
    /// A new coordinator, by its one-time token.
    Redeem { token: Digest, address: String, raft_address: String, control_key: Digest, raft_key: Digest },
    /// At the start of each process, and when its drivers have changed: where it is reached, which drivers it has, and
    /// which programs it cannot use.
    Register {
        coordinator: CoordinatorId,
        process: u64,
        address: String,
        raft_address: String,
        version: String,
        drivers: Vec<DriverDescription>,
        broken: Vec<BrokenProgram>,
    },
    /// A driver's default account is made when a coordinator registers it; others come with accounts of their own.
    PutAccount { name: AccountName, driver: Box<DriverDescription>, shards: u16 },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Founding {
    pub cluster: ClusterId,
    pub issuers: Issuers,
    pub address: String,
    pub raft_address: String,
    pub control_key: Digest,
    pub raft_key: Digest,
    /// The first admin.
    pub admin: PersonName,
}
