//! Entries applied to the state: deterministic, total, and the only way the state changes.
//!
//! One file per command family. `Tx` is what they write through: it keeps revisions, indexes, events and the
//! counters of operations right, so that no family has to.

mod agents;
mod intents;
mod members;
mod observe;
mod operations;
mod outcomes;
mod permits;
mod plans;
mod requests;
mod tx;

use std::collections::BTreeSet;

use skep_types::{AccountName, HostId, OperationId, SwarmId};

use crate::State;
use crate::command::{Command, Entry, Reply};
use tx::Tx;

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

impl Changes {
    pub fn merge(&mut self, other: Self) {
        union(&mut self.hosts, other.hosts);
        union(&mut self.swarms, other.swarms);
        union(&mut self.operations, other.operations);
        union(&mut self.accounts, other.accounts);
        self.cluster |= other.cluster;
    }
}

/// The smaller into the larger: `BTreeSet::append` walks both, which is too slow for many small changes after one large.
fn union<T: Ord>(all: &mut BTreeSet<T>, mut more: BTreeSet<T>) {
    if all.len() < more.len() {
        std::mem::swap(all, &mut more);
    }
    all.extend(more);
}

/// Applies one entry. One reply per command, in their order.
pub fn apply(state: &mut State, entry: &Entry) -> (Vec<Reply>, Changes) {
    state.time = state.time.max(entry.time);
    let mut changes = Changes::default();
    let replies = entry.commands.iter().map(|command| apply_one(state, &mut changes, command)).collect();
    (replies, changes)
}

fn apply_one(state: &mut State, changes: &mut Changes, command: &Command) -> Reply {
    state.revision += 1;
    let mut tx = Tx::new(state, changes);
    match command {
        Command::Request(command) => requests::apply(&mut tx, command),
        Command::Plan(command) => plans::apply(&mut tx, command),
        Command::Outcome(command) => outcomes::apply(&mut tx, command),
        Command::Agent(command) => agents::apply(&mut tx, command),
        Command::Member(command) => members::apply(&mut tx, command),
    }
}
