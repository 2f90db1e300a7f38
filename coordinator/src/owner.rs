//! The owner of an account: finds its Open intents in its own replicated state, calls the driver, proposes outcomes.
//!
//! There is no dispatch: whichever coordinator the state names acts, and the epoch on its outcomes fences it. Before
//! each call it also fences itself: without a beat that the leader answered within the lease, it sends nothing.

mod addresses;
mod call;
mod create;
mod lease;
mod orphans;
mod pause;
mod targets;
mod waiting;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use skep_core::State;
use skep_core::state::{Intent, IntentKind};
use skep_types::{AccountName, IntentId};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::telemetry;
use call::Caller;
pub(crate) use lease::Lease;

const PANICKED_PAUSE: Duration = Duration::from_secs(1);
const PANICKED_PAUSE_MAX: Duration = Duration::from_secs(60);

/// What identifies this process as an owner.
#[derive(Debug, Clone)]
pub(crate) struct Ownership {
    /// Drawn at the start of the process.
    pub(crate) process: u64,
    pub(crate) lease: Lease,
    /// Between two looks for orphans.
    pub(crate) orphan_search: Duration,
}

pub(crate) async fn run(context: Context, ownership: Ownership, shutdown: CancellationToken) {
    let mut events = context.raft.subscribe_changes();
    let mut work = Work::default();
    let search = beside(&context, &ownership, &shutdown, orphans::run);
    let looks = beside(&context, &ownership, &shutdown, addresses::run);
    loop {
        work.look(&context, &ownership);
        tokio::select! {
            _ = events.changed() => {}
            Some(_) = work.done.join_next(), if !work.done.is_empty() => {}
            () = shutdown.cancelled() => break,
        }
    }
    work.stop().await;
    // What was cut off by its runtime has nothing to add.
    let _ended = (search.await, looks.await);
}

/// Goes on beside the intents until `stop`.
fn beside<F: Future<Output = ()> + Send>(
    context: &Context,
    ownership: &Ownership,
    stop: &CancellationToken,
    work: impl Fn(Context, Ownership, CancellationToken) -> F + Send + Sync + 'static,
) -> JoinHandle<()> {
    let (context, ownership, stop) = (context.clone(), ownership.clone(), stop.clone());
    tokio::spawn(async move {
        let work = whole(|_| work(context.clone(), ownership.clone(), stop.clone()));
        tokio::select! { () = work => {}, () = stop.cancelled() => {} }
    })
}

/// The intents this coordinator works on, each in a task of its own. Bounded by the accounts' calls in flight.
#[derive(Debug, Default)]
struct Work {
    running: BTreeMap<IntentId, (u64, CancellationToken)>,
    done: JoinSet<IntentId>,
}

impl Work {
    fn look(&mut self, context: &Context, ownership: &Ownership) {
        let state = context.raft.state();
        let mine = |intent: &Intent| {
            let account = state.accounts.get(&intent.account)?;
            let owner = account.owner(intent.shard)?;
            (owner.coordinator == context.id && owner.process == ownership.process).then_some(owner.epoch)
        };
        let wanted: BTreeMap<IntentId, (u64, Arc<Intent>)> = state
            .intents
            .values()
            .filter_map(|intent| Some((intent.id, (mine(intent)?, Arc::clone(intent)))))
            .collect();
        self.running.retain(|id, (epoch, stop)| {
            let stays = wanted.get(id).is_some_and(|(wanted, _)| wanted == epoch);
            if !stays {
                stop.cancel();
            }
            stays
        });
        for (id, (epoch, intent)) in wanted {
            if self.running.contains_key(&id) {
                continue;
            }
            let stop = CancellationToken::new();
            self.running.insert(id, (epoch, stop.clone()));
            let caller = Caller::new(context, ownership, epoch, stop);
            self.done.spawn(async move {
                work_on(&caller, &intent).await;
                id
            });
        }
    }

    async fn stop(mut self) {
        for (_, stop) in self.running.values() {
            stop.cancel();
        }
        while self.done.join_next().await.is_some() {}
    }
}

fn creating(state: &State, account: &AccountName) -> bool {
    let creates =
        |intent: &Arc<Intent>| intent.account == *account && matches!(intent.kind, IntentKind::Create { .. });
    state.intents.values().any(creates)
}

async fn work_on(caller: &Caller, intent: &Intent) {
    let context = &caller.context;
    let span = telemetry::spans::intent(&context.cluster, &context.raft.state(), intent);
    let work = tracing::Instrument::instrument(whole(|again| act(caller, intent, again)), span);
    tokio::select! { () = work => {}, () = caller.stopped() => {} }
}

/// `again`: what was done before is not known.
async fn act(caller: &Caller, intent: &Intent, again: bool) {
    if again {
        caller.panicked(intent).await;
    }
    match &intent.kind {
        IntentKind::Create { .. } => create::run(caller, intent, again).await,
        IntentKind::Power { .. } | IntentKind::Destroy { .. } => targets::run(caller, intent).await,
    }
}

/// A driver that panics has ended without an outcome, and only an outcome closes an intent: it is called again, ever more
/// slowly, until this is somebody else's.
async fn whole<F: Future<Output = ()>>(work: impl Fn(bool) -> F) {
    let (mut pause, mut again) = (PANICKED_PAUSE, false);
    // Nothing that it has changed is looked at again.
    while AssertUnwindSafe(work(again)).catch_unwind().await.is_err() {
        again = true;
        tracing::error!(?pause, "a call of a driver panicked; what it was for begins anew");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PANICKED_PAUSE_MAX);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_that_panics_begins_anew() {
        let begun = Cell::new(0);
        let work = |again| {
            assert_eq!(again, begun.get() > 0);
            let begun = &begun;
            async move {
                begun.set(begun.get() + 1);
                assert!(begun.get() > 2, "a driver's answer is not what it should be");
            }
        };
        whole(work).await;
        assert_eq!(begun.get(), 3);
    }
}
