//! Accounts and who acts for them.

use skep_types::{AccountName, CoordinatorId, DriverDescription, Revision};

/// A part of an account's hosts, by host id; one coordinator owns each.
pub type Shard = u16;

#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    pub name: AccountName,
    pub revision: Revision,
    pub driver: DriverDescription,
    /// One owner per shard, in their order; None while nobody can act.
    pub owners: Vec<Option<Owner>>,
}

/// The coordinator that alone may call the driver for a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    pub coordinator: CoordinatorId,
    /// Of that coordinator's process: another number means it was started anew and holds nothing.
    pub process: u64,
    /// Rises with every change of owner; outcomes of an older epoch change nothing.
    pub epoch: u64,
}

impl Account {
    pub fn owner(&self, shard: Shard) -> Option<&Owner> {
        self.owners.get(usize::from(shard)).and_then(Option::as_ref)
    }
}
