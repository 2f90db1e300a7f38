//! Entries applied to the state: deterministic, total, and the only way the state changes.

use std::collections::BTreeSet;

use skep_types::{AccountName, HostId, OperationId, SwarmId};

use crate::State;
use crate::command::{Entry, Reply};

/// What an entry touched: where loops have to look again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    pub hosts: BTreeSet<HostId>,
    pub swarms: BTreeSet<SwarmId>,
    pub operations: BTreeSet<OperationId>,
    /// Accounts whose intents or owners changed.
    pub accounts: BTreeSet<AccountName>,
    /// Coordinators, people, tokens.
    pub cluster: bool,
}

/// Applies one entry. One reply per command, in their order.
pub fn apply(_state: &mut State, _entry: &Entry) -> (Vec<Reply>, Changes) {
    (Vec::new(), Changes::default())
}
