//! Who acts for each account, and whose agent nobody has heard: twice a second, and at once where an account waits.

use std::sync::Arc;
use std::time::Duration;

use skep_core::State;
use skep_core::command::{Command, PlanCommand};
use skep_core::plan::{View, owner};
use skep_types::limits;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::liveness::Liveness;

/// As often as coordinators beat.
const PERIOD: Duration = Duration::from_millis(500);

pub(super) async fn run(context: Context, liveness: Arc<Liveness>, stop: CancellationToken) {
    let mut events = context.raft.subscribe_changes();
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = liveness.news() => {}
            _ = events.changed() => if !somebody_waits(&context.raft.state()) { continue },
            () = stop.cancelled() => return,
        }
        for commands in decide(&context, &liveness).chunks(limits::COMMANDS_PER_ENTRY) {
            let commands = commands.iter().cloned().map(Command::Plan).collect();
            if let Err(error) = context.raft.propose(commands).await {
                tracing::debug!(%error, "who is there was not committed");
            }
        }
    }
}

/// Whether an account has nobody who acts for it.
fn somebody_waits(state: &State) -> bool {
    state.accounts.values().any(|account| account.owners.iter().any(Option::is_none))
}

fn decide(context: &Context, liveness: &Liveness) -> Vec<PlanCommand> {
    let state = context.raft.state();
    let view = View { state: &state, now: context.raft.now() };
    let mut commands = owner::plan(&view, &liveness.owners(&state));
    let lost = liveness.lost_agents(&state).into_iter();
    commands.extend(lost.map(|(host, session_number)| PlanCommand::Disconnect { host, session_number }));
    commands
}
