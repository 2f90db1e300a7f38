//! What only the leader does: plan, and say who acts for whom. Starts and stops with leadership.
//!
//! ```text
//!            changes ─┐
//!  full pass, wakes ──┴─► planner ──► commands ──► proposer          what should happen next
//!                           └─ wishes ─► freeze ──► OpenIntent       with secrets a pure planner cannot make
//!  beats, doors ─► liveness ─► watcher ──► AssignOwner, Disconnect   who is there
//!  coordinators' records ─► membership ──► voters of the raft group
//! ```

mod doors;
mod freeze;
mod membership;
mod planner;
mod watcher;

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::liveness::Liveness;
use crate::raft::Leadership;
pub(crate) use freeze::AgentSource;

/// Runs until `shutdown` or the end of the raft node, leading or not.
pub(crate) async fn run(
    context: Context,
    liveness: Arc<Liveness>,
    agent: AgentSource,
    shutdown: CancellationToken,
) {
    let mut leadership = context.raft.leadership();
    loop {
        let (leading, term) = {
            let now = leadership.borrow_and_update();
            (now.leading, now.term)
        };
        if !leading {
            tokio::select! {
                changed = leadership.changed() => if changed.is_err() { return },
                () = shutdown.cancelled() => return,
            }
            continue;
        }
        let stop = shutdown.child_token();
        tracing::info!(term, "leading");
        liveness.lead(term);
        let mut loops = spawn_loops(&context, &liveness, &agent, &stop);
        let lost = |now: &Leadership| !now.leading || now.term != term;
        let ended = tokio::select! {
            // An error once the raft node has ended: what it said last holds no more, and would hold for ever.
            lost = leadership.wait_for(lost) => lost.is_err(),
            () = shutdown.cancelled() => true,
        };
        tracing::info!(term, "no longer leading");
        stop.cancel();
        while loops.join_next().await.is_some() {}
        if ended {
            return;
        }
    }
}

fn spawn_loops(
    context: &Context,
    liveness: &Arc<Liveness>,
    agent: &AgentSource,
    stop: &CancellationToken,
) -> JoinSet<()> {
    let mut loops = JoinSet::new();
    loops.spawn(planner::run(context.clone(), agent.clone(), stop.clone()));
    loops.spawn(watcher::run(context.clone(), Arc::clone(liveness), stop.clone()));
    loops.spawn(doors::run(context.clone(), Arc::clone(liveness), stop.clone()));
    loops.spawn(membership::run(context.clone(), stop.clone()));
    loops
}

#[cfg(test)]
mod tests;
