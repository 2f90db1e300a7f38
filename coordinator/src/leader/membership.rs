//! The raft group follows the coordinators' records: a new one learns and then votes, a removed one leaves. Whatever was
//! interrupted is found again, because only the difference is looked at.

use std::collections::BTreeSet;
use std::time::Duration;

use skep_core::command::{Command, PlanCommand};
use skep_core::state::Coordinator;
use skep_types::CoordinatorId;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::raft::{Node, ProposeError};

/// Between looks when nothing changed, and after a change that failed.
const PERIOD: Duration = Duration::from_secs(1);

pub(super) async fn run(context: Context, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = reconcile(&context) => {}
            () = stop.cancelled() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(PERIOD) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// One change at a time: the group is never without a majority that knows it.
async fn reconcile(context: &Context) {
    let state = context.raft.state();
    let members = context.raft.status().members;
    let voters: BTreeSet<CoordinatorId> = members.iter().filter(|m| m.voter).map(|m| m.id).collect();
    for coordinator in state.coordinators.values() {
        let votes = voters.contains(&coordinator.id);
        let changed = match (coordinator.removed, votes) {
            (false, false) => context.raft.add_voter(coordinator.id, node(coordinator)).await,
            (true, true) => context.raft.remove_voter(coordinator.id).await,
            (true, false) => forget(context, coordinator.id).await,
            (false, true) => Ok(()),
        };
        if let Err(error) = changed {
            tracing::warn!(coordinator = %coordinator.id, %error, "the raft group could not be changed; trying again");
            return;
        }
    }
}

fn node(coordinator: &Coordinator) -> Node {
    Node { raft_address: coordinator.raft_address.clone(), address: coordinator.address.clone() }
}

async fn forget(context: &Context, coordinator: CoordinatorId) -> Result<(), ProposeError> {
    let command = Command::Plan(PlanCommand::ForgetCoordinator { coordinator });
    context.raft.propose(vec![command]).await.map(|_| ())
}
