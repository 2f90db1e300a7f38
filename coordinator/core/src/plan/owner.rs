//! Who acts for each account. Moves only when the one before certainly no longer does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use skep_types::{CoordinatorId, Idempotency};

use super::View;
use crate::command::PlanCommand;
use crate::state::{Account, Owner};

/// What the leader knows of the coordinators, outside the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Liveness {
    /// Heard of within the last beats, with the number of the process that was heard.
    pub alive: BTreeMap<CoordinatorId, u64>,
    /// Silent for the owner lease plus the longest driver call: whatever it had begun is over.
    pub expired: BTreeSet<CoordinatorId>,
    /// For how long each has certainly made no call. Nothing is known of the others.
    pub idle: BTreeMap<CoordinatorId, Duration>,
    /// Silent, and nobody listens where they should: most likely no such process runs.
    pub ended: BTreeSet<CoordinatorId>,
}

pub fn plan(view: &View<'_>, liveness: &Liveness) -> Vec<PlanCommand> {
    let mut load = shards_owned(view);
    let mut commands = Vec::new();
    for account in view.state.accounts.values() {
        for (shard, owner) in (0..).zip(&account.owners) {
            if owner.as_ref().is_some_and(|owner| !lost(account, owner, view, liveness)) {
                continue;
            }
            let Some((coordinator, process)) = eligible(view, account, liveness, &load) else {
                continue;
            };
            *load.entry(coordinator).or_default() += 1;
            let epoch = owner.map_or(0, |owner| owner.epoch);
            let idle = owner.and_then(|owner| liveness.idle.get(&owner.coordinator)).copied();
            let account = account.name.clone();
            commands.push(PlanCommand::AssignOwner { account, shard, epoch, coordinator, process, idle });
        }
    }
    commands
}

/// Another process of the same coordinator proves the old one dead, and one that stops in order says so itself: nothing of
/// either can still be under way. One that has lost the driver lives, and may still be heard of a call or two.
fn lost(account: &Account, owner: &Owner, view: &View<'_>, liveness: &Liveness) -> bool {
    let heard = liveness.alive.get(&owner.coordinator).copied();
    let coordinator = view.state.coordinators.get(&owner.coordinator);
    let registered = coordinator.map(|coordinator| coordinator.process);
    let another = |process: Option<u64>| process.is_some_and(|process| process != owner.process);
    let without = coordinator.is_some_and(|coordinator| !coordinator.drivers.contains(&account.driver.name));
    another(heard)
        || another(registered)
        || liveness.expired.contains(&owner.coordinator)
        || (without || liveness.ended.contains(&owner.coordinator)) && repeats_safely(account)
}

/// Where a call that is made twice has the effect of one, good evidence does for a proof: should the owner be alive all
/// the same, its lease ends without having doubled anything.
fn repeats_safely(account: &Account) -> bool {
    match account.driver.idempotency {
        Idempotency::Token { .. } | Idempotency::UniqueName => true,
        Idempotency::None => false,
    }
}

fn shards_owned(view: &View<'_>) -> BTreeMap<CoordinatorId, usize> {
    let mut load = BTreeMap::new();
    for owner in view.state.accounts.values().flat_map(|account| account.owners.iter().flatten()) {
        *load.entry(owner.coordinator).or_default() += 1;
    }
    load
}

/// Of those that have the driver, reach the account, are members, alive and not silent for as long as costs an owner its place: the one
/// with the fewest shards, then the lowest id.
fn eligible(
    view: &View<'_>,
    account: &Account,
    liveness: &Liveness,
    load: &BTreeMap<CoordinatorId, usize>,
) -> Option<(CoordinatorId, u64)> {
    let able = view.state.coordinators.values().filter(|coordinator| {
        let alive = liveness.alive.get(&coordinator.id) == Some(&coordinator.process);
        let silent = liveness.expired.contains(&coordinator.id) || liveness.ended.contains(&coordinator.id);
        let able =
            coordinator.drivers.contains(&account.driver.name) && account.reachable_from(coordinator.id);
        alive && !silent && !coordinator.removed && able
    });
    let best =
        able.min_by_key(|coordinator| (load.get(&coordinator.id).copied().unwrap_or(0), coordinator.id))?;
    Some((best.id, best.process))
}
