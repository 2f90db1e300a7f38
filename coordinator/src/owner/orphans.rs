//! The search for orphans: instances of ours that no host owns, destroyed after two looks.
//!
//! Only instances of dead intents are touched: an Open one may still bind them, and what carries no readable intent is
//! for people to judge.

use std::collections::BTreeSet;
use std::sync::Arc;

use skep_core::State;
use skep_core::command::OutcomeCommand;
use skep_driver::{Driver, Instance, InstanceState};
use skep_types::{AccountName, InstanceRef, chain};
use tokio_util::sync::CancellationToken;

use super::call::{Caller, everything};
use super::{Ownership, Searches, whole};
use crate::context::Context;

pub(super) fn spawn(context: &Context, ownership: &Ownership, stop: &CancellationToken) -> Searches {
    let (context, ownership, stop) = (context.clone(), ownership.clone(), stop.clone());
    let search = async move { whole(|| run(&context, &ownership, &stop)).await };
    Searches(vec![tokio::spawn(search)])
}

async fn run(context: &Context, ownership: &Ownership, stop: &CancellationToken) {
    // Seen once already. Bounded by what the drivers list.
    let mut suspects = BTreeSet::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(ownership.orphan_search) => {}
            () = stop.cancelled() => return,
        }
        let look = look(context, ownership, stop, suspects);
        suspects = tokio::select! { seen = look => seen, () = stop.cancelled() => return };
    }
}

/// One pass over the accounts this coordinator owns; returns what should be looked at a second time.
async fn look(
    context: &Context,
    ownership: &Ownership,
    stop: &CancellationToken,
    before: BTreeSet<(AccountName, InstanceRef)>,
) -> BTreeSet<(AccountName, InstanceRef)> {
    let mut suspects = BTreeSet::new();
    for (account, epoch, driver) in owned(context, ownership) {
        let caller = Caller::new(context, ownership, epoch, stop.clone());
        let listed = match everything(&caller, &*driver).await {
            Ok(listed) => listed,
            Err(error) => {
                tracing::warn!(%account, error = %chain(&error), "instances could not be listed");
                continue;
            }
        };
        for instance in orphans(&context.raft.state(), listed) {
            let key = (account.clone(), instance.instance.clone());
            if before.contains(&key) {
                tracing::warn!(%account, instance = %key.1.provider_id, "destroying an orphan");
                let (instance, intent) = (key.1, instance.intent);
                let outcome =
                    OutcomeCommand::DestroyOrphan { account: account.clone(), epoch, instance, intent };
                caller.propose(vec![outcome]).await;
            } else {
                suspects.insert(key);
            }
        }
    }
    suspects
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
