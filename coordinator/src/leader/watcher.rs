//! Who acts for each account, and whose agent nobody has heard: twice a second. Who acts, also at once when an account has
//! nobody, or a coordinator has come or ended.

use std::sync::Arc;
use std::time::Duration;

use skep_core::State;
use skep_core::command::{Command, PlanCommand};
use skep_core::plan::{View, owner};
use skep_types::limits;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::liveness::Liveness;
use crate::raft::Dirty;

/// Twice as often as coordinators beat.
const PERIOD: Duration = Duration::from_millis(500);

pub(super) async fn run(context: Context, liveness: Arc<Liveness>, stop: CancellationToken) {
    watch(context, liveness, PERIOD, stop).await;
}

/// `period` is the time between two looks.
pub(super) async fn watch(
    context: Context,
    liveness: Arc<Liveness>,
    period: Duration,
    stop: CancellationToken,
) {
    let mut events = context.raft.subscribe_changes();
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let commands = tokio::select! {
            _ = ticks.tick() => [owners(&context, &liveness), lost(&context, &liveness)].concat(),
            () = liveness.news() => owners(&context, &liveness),
            dirty = events.changed() => {
                if !(moves_accounts(&dirty) && somebody_waits(&context.raft.state())) {
                    continue;
                }
                owners(&context, &liveness)
            }
            () = stop.cancelled() => return,
        };
        for commands in commands.chunks(limits::COMMANDS_PER_ENTRY) {
            let commands = commands.iter().cloned().map(Command::Plan).collect();
            if let Err(error) = context.raft.propose(commands).await {
                tracing::debug!(%error, "who is there was not committed");
            }
        }
    }
}

fn moves_accounts(dirty: &Dirty) -> bool {
    dirty.everything || dirty.changes.cluster || !dirty.changes.accounts.is_empty()
}

/// Whether an account has nobody who acts for it.
fn somebody_waits(state: &State) -> bool {
    state.accounts.values().any(|account| account.owners.iter().any(Option::is_none))
}

fn owners(context: &Context, liveness: &Liveness) -> Vec<PlanCommand> {
    let state = context.raft.state();
    owner::plan(&View { state: &state, now: context.raft.now() }, &liveness.owners(&state))
}

fn lost(context: &Context, liveness: &Liveness) -> Vec<PlanCommand> {
    let lost = liveness.lost_agents(&context.raft.state()).into_iter();
    lost.map(|(host, session_number)| PlanCommand::Disconnect { host, session_number }).collect()
}
