//! Says where this process is and which drivers it has: at its start, when its drivers have changed, and at its end.

use std::time::Duration;

use skep_core::command::{Command, MemberCommand, Reply};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::RunError;
use crate::context::{Context, Known};
use crate::layout::Member;

/// What a coordinator that has stopped is registered with: the number of no process.
const NO_PROCESS: u64 = 0;
/// For saying so.
const RESIGN: Duration = Duration::from_secs(2);
/// Between tries, while no leader is known.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug, Clone)]
pub(super) struct Registering {
    pub(super) context: Context,
    pub(super) member: Member,
    pub(super) process: u64,
}

impl Registering {
    /// Until the log has it.
    pub(super) async fn register(&self) -> Result<(), RunError> {
        loop {
            let replies = self.context.raft.propose(vec![self.command(self.process)]).await;
            match replies.map(|replies| replies.into_iter().next()) {
                Ok(Some(Reply::Refused(refusal))) => return Err(RunError::Removed(refusal.to_string())),
                Ok(_) => return Ok(()),
                Err(error) => tracing::debug!(%error, "not registered yet"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Again, after each change of the drivers.
    pub(super) async fn keep(self, mut changes: watch::Receiver<Known>, stop: CancellationToken) {
        loop {
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = stop.cancelled() => return,
            }
            let registered = tokio::select! { registered = self.register() => registered, () = stop.cancelled() => return };
            match registered {
                Ok(()) => tracing::info!("the cluster knows the drivers of this coordinator as they are now"),
                // Whoever was removed is stopped by its log.
                Err(error) => return tracing::debug!(%error, "the drivers were not registered"),
            }
        }
    }

    /// No driver call of this process is under way any more: others may act for its accounts at once, without waiting
    /// for its lease to end.
    pub(super) async fn resign(&self) {
        let resigned = self.context.raft.propose(vec![self.command(NO_PROCESS)]);
        if !matches!(tokio::time::timeout(RESIGN, resigned).await, Ok(Ok(_))) {
            tracing::debug!("nobody heard that this coordinator stops; its lease will end");
        }
    }

    fn command(&self, process: u64) -> Command {
        let addresses = &self.member.addresses;
        Command::Member(MemberCommand::Register {
            coordinator: self.context.id,
            process,
            address: addresses.advertise.clone(),
            raft_address: addresses.raft_advertise.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            drivers: self.context.drivers.descriptions(),
            broken: self.context.drivers.broken(),
        })
    }
}
