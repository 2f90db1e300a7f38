//! What ends a coordinator that nobody told to stop: its log has failed, or the cluster counts it no more.

use skep_core::State;
use skep_types::CoordinatorId;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::RunError;
use crate::raft::RaftHandle;

/// Cancels `stop` when either happens.
#[derive(Debug)]
pub(super) struct EndWatch {
    id: CoordinatorId,
    failure: JoinHandle<Option<String>>,
    removal: JoinHandle<bool>,
}

impl EndWatch {
    pub(super) fn start(handle: &RaftHandle, id: CoordinatorId, stop: &CancellationToken) -> Self {
        Self {
            id,
            failure: tokio::spawn(failure(handle.clone(), stop.clone())),
            removal: tokio::spawn(removal(handle.clone(), id, stop.clone())),
        }
    }

    /// Why `stop` was cancelled, if it was from here. Returns once it is cancelled.
    pub(super) async fn cause(self) -> Option<RunError> {
        let failed = self.failure.await.unwrap_or_default().map(RunError::Log);
        let removed = self.removal.await.unwrap_or(false);
        let removed =
            removed.then(|| RunError::Removed(format!("{} is on no list of coordinators", self.id)));
        removed.or(failed)
    }
}

/// Stops a coordinator whose log has stopped: what it knows grows old. Why it did, if it did so by itself.
async fn failure(handle: RaftHandle, stop: CancellationToken) -> Option<String> {
    tokio::select! {
        why = handle.ended() => {
            stop.cancel();
            why
        }
        () = stop.cancelled() => None,
    }
}

/// Stops a coordinator that the cluster no longer counts: it would answer with what it knew then. Whether it did.
async fn removal(handle: RaftHandle, id: CoordinatorId, stop: CancellationToken) -> bool {
    let mut changes = handle.subscribe_changes();
    loop {
        if removed(&handle.state(), id) {
            stop.cancel();
            return true;
        }
        tokio::select! { _ = changes.changed() => {}, () = stop.cancelled() => return false }
    }
}

/// Ids are given out once: one that was given out and has no record was removed, and then forgotten.
fn removed(state: &State, id: CoordinatorId) -> bool {
    let known = state.coordinators.get(&id);
    known.map_or(state.last_coordinator >= id.0, |coordinator| coordinator.removed)
}

#[cfg(test)]
mod tests;
