//! The search for orphans: instances of ours that no host owns, destroyed after two looks.
//!
//! Only instances of dead intents are touched: an Open one may still bind them, and what carries no readable intent is
//! for people to judge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use skep_core::State;
use skep_core::command::OutcomeCommand;
use skep_driver::{Driver, Instance, InstanceState};
use skep_types::{AccountName, InstanceRef, chain};
use tokio_util::sync::CancellationToken;

use super::call::{Caller, everything};
use super::{Ownership, creating};
use crate::context::Context;

/// Looks left out in a row while creates are under way: a list takes from what the provider answers, and of machines
/// that are there already it is a login at each.
const LEFT_OUT_MAX: u32 = 9;

pub(super) async fn run(context: Context, ownership: Ownership, stop: CancellationToken) {
    let mut search = Search::default();
    loop {
        tokio::time::sleep(ownership.orphan_search).await;
        search.look(&context, &ownership, &stop).await;
    }
}

/// What the looks before have found, of the accounts that are this coordinator's.
#[derive(Debug, Default)]
struct Search {
    accounts: BTreeMap<AccountName, Before>,
}

#[derive(Debug, Default)]
struct Before {
    /// Seen once already. Bounded by what the driver lists.
    suspects: BTreeSet<InstanceRef>,
    /// Looks left out in a row.
    left_out: u32,
}

impl Search {
    /// One pass over the accounts this coordinator owns.
    async fn look(&mut self, context: &Context, ownership: &Ownership, stop: &CancellationToken) {
        let owned = owned(context, ownership);
        self.accounts.retain(|name, _| owned.iter().any(|(account, ..)| account == name));
        for (account, epoch, driver) in owned {
            let before = self.accounts.entry(account.clone()).or_default();
            if !before.is_due(creating(&context.raft.state(), &account)) {
                continue;
            }
            let caller = Caller::new(context, ownership, epoch, stop.clone());
            let listed = match everything(&caller, &*driver).await {
                Ok(listed) => listed,
                Err(error) => {
                    tracing::warn!(%account, error = %chain(&error), "instances could not be listed");
                    continue;
                }
            };
            let found = orphans(&context.raft.state(), listed);
            let (again, first): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|orphan| before.suspects.contains(&orphan.instance));
            before.suspects = first.into_iter().map(|orphan| orphan.instance).collect();
            for Instance { instance, intent, .. } in again {
                tracing::warn!(%account, instance = %instance.provider_id, "destroying an orphan");
                let account = account.clone();
                caller
                    .propose(vec![OutcomeCommand::DestroyOrphan { account, epoch, instance, intent }])
                    .await;
            }
        }
    }
}

impl Before {
    fn is_due(&mut self, creating: bool) -> bool {
        let due = !creating || self.left_out >= LEFT_OUT_MAX;
        self.left_out = if due { 0 } else { self.left_out + 1 };
        due
    }
}

/// The accounts whose first shard is this coordinator's: one search an account.
fn owned(context: &Context, ownership: &Ownership) -> Vec<(AccountName, u64, Arc<dyn Driver>)> {
    let state = context.raft.state();
    let mine = |account: &skep_core::state::Account| {
        let owner = account.owner(0)?;
        let me = owner.coordinator == context.id && owner.process == ownership.process;
        let driver = me.then(|| context.accounts.acting(&account.name, &ownership.lease).ok()).flatten()?;
        Some((account.name.clone(), owner.epoch, driver))
    };
    state.accounts.values().filter_map(|account| mine(account)).collect()
}

fn orphans(state: &State, listed: Vec<Instance>) -> Vec<Instance> {
    let hosts = state.hosts.values().filter_map(|host| host.instance.as_ref());
    let bound: BTreeSet<&str> = hosts.map(|bound| bound.instance.provider_id.as_str()).collect();
    let orphan = |instance: &Instance| {
        let dead = instance.intent.is_some_and(|intent| !state.intents.contains_key(&intent));
        dead && instance.state != InstanceState::Destroyed
            && !bound.contains(instance.instance.provider_id.as_str())
    };
    listed.into_iter().filter(orphan).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_creates_without_end_is_looked_at_too() {
        let mut before = Before::default();
        let mut looks = |creating: bool| (0..20).filter(|_| before.is_due(creating)).count();
        assert_eq!(looks(true), 2);
        assert_eq!(looks(false), 20);
    }
}
