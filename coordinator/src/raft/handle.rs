//! The handle to a raft node: what the rest of the coordinator sees of it.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use skep_core::{Command, Reply};
use skep_types::{ClusterTime, CoordinatorId};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

use super::beat::{Beat, BeatAnswer};
use super::changes::ChangeSubscription;
use super::core::Core;
use super::error::{ProposeError, ProposeErrorKind};
use super::leadership::Leadership;
use super::node::on;
use super::state_machine::Published;
use super::status::RaftStatus;
use super::types::Node;

/// Handing over and closing together; see the bounds of both.
const SHUTDOWN: Duration = Duration::from_secs(20);

/// How the node is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    No,
    /// Leadership handed over, everything synced.
    Gracefully,
    /// At once.
    Kill,
}

/// Clones share one node. Calls may come from any runtime. When the last one is dropped, the node stops at once.
#[derive(Debug, Clone)]
pub struct RaftHandle {
    core: Arc<Core>,
    runtime: Handle,
    stop: watch::Sender<Stop>,
    ended: watch::Receiver<bool>,
}

impl RaftHandle {
    pub(super) fn new(
        core: Arc<Core>,
        runtime: Handle,
        stop: watch::Sender<Stop>,
        ended: watch::Receiver<bool>,
    ) -> Self {
        Self { core, runtime, stop, ended }
    }

    pub fn id(&self) -> CoordinatorId {
        self.core.config.id
    }

    /// Has commands applied, through whichever coordinator leads, and answers each, in their order. Afterwards the state
    /// here has them, too.
    ///
    /// An error does not say that nothing was applied. Proposing the same again is safe: that is what guards, request
    /// ids and set unions are for.
    pub async fn propose(&self, commands: Vec<Command>) -> Result<Vec<Reply>, ProposeError> {
        let core = self.core.clone();
        self.call(async move { core.propose(commands).await }).await
    }

    /// The state with everything in it that was acknowledged, by any coordinator, before this was called.
    pub async fn read(&self) -> Result<Arc<Published>, ProposeError> {
        let core = self.core.clone();
        self.call(async move { core.read().await }).await
    }

    /// The state as it is here and now: perhaps behind others, never ahead of what is committed.
    pub fn state(&self) -> Arc<Published> {
        self.core.published.borrow().clone()
    }

    /// Every new state. A slow reader sees the newest, not all.
    pub fn watch_state(&self) -> watch::Receiver<Arc<Published>> {
        self.core.published.clone()
    }

    pub fn subscribe_changes(&self) -> ChangeSubscription {
        self.core.changes.subscribe()
    }

    pub fn leadership(&self) -> watch::Receiver<Leadership> {
        self.core.leadership.clone()
    }

    /// Cluster time, counted on from the last entry. What the next entry would carry, on the leader.
    pub fn now(&self) -> ClusterTime {
        self.core.clock.now().max(self.core.published.borrow().state.time)
    }

    /// Makes a cluster of this node alone, and waits until it leads. Nothing happens on one that was made before.
    pub async fn initialize_single(&self, node: Node) -> Result<(), ProposeError> {
        let core = self.core.clone();
        self.call(async move { core.initialize_single(node).await }).await
    }

    /// On the leader: takes a coordinator in, or goes on doing so, or brings its addresses up to date.
    pub async fn add_voter(&self, id: CoordinatorId, node: Node) -> Result<(), ProposeError> {
        let core = self.core.clone();
        self.call(async move { core.add_voter(id, node).await }).await
    }

    /// On the leader: takes a coordinator out, or goes on doing so.
    pub async fn remove_voter(&self, id: CoordinatorId) -> Result<(), ProposeError> {
        let core = self.core.clone();
        self.call(async move { core.remove_voter(id).await }).await
    }

    /// On the leader: to the given voter, or to the one that is nearest to taking it.
    pub async fn transfer_leadership(&self, to: Option<CoordinatorId>) -> Result<(), ProposeError> {
        let core = self.core.clone();
        self.call(async move { core.transfer_leadership(to).await }).await
    }

    /// As [`Self::transfer_leadership`], through whichever coordinator leads. Who leads afterwards.
    pub async fn move_leadership(&self, to: Option<CoordinatorId>) -> Result<CoordinatorId, ProposeError> {
        let core = self.core.clone();
        self.call(async move { core.move_leadership(to).await }).await
    }

    /// Sends a beat to the leader, which may be this one. One try.
    pub async fn beat(&self, beat: Beat) -> Result<BeatAnswer, ProposeError> {
        let core = self.core.clone();
        self.call(async move { core.beat(beat).await }).await
    }

    pub fn status(&self) -> RaftStatus {
        self.core.status()
    }

    /// Waits until this node takes part no more: it was stopped, or its storage failed. Says why in the latter case; a
    /// process whose node has failed is of use to nobody.
    pub async fn ended(&self) -> Option<String> {
        let mut leadership = self.core.leadership.clone();
        while leadership.changed().await.is_ok() {}
        let stopping = *self.stop.borrow() != Stop::No;
        self.status().failure.filter(|_| !stopping)
    }

    /// Hands leadership over, stops, and closes the files.
    pub async fn shutdown(&self) {
        self.end(Stop::Gracefully).await;
    }

    /// Stops at once, as a crash would, and closes the files: what tests do to a coordinator.
    pub async fn kill(&self) {
        self.end(Stop::Kill).await;
    }

    async fn end(&self, how: Stop) {
        self.stop.send_if_modified(|stop| {
            let first = *stop == Stop::No;
            if first {
                *stop = how;
            }
            first
        });
        let mut ended = self.ended.clone();
        if timeout(SHUTDOWN, ended.wait_for(|ended| *ended)).await.is_err() {
            tracing::warn!("the raft node did not end in time");
        }
    }

    /// Boxed: openraft's futures are deep, and every caller would carry their whole type.
    fn call<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, ProposeError>> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, ProposeError>> {
        let runtime = self.runtime.clone();
        let work: BoxFuture<'static, _> = Box::pin(work);
        Box::pin(async move {
            on(&runtime, work).await.unwrap_or_else(|| Err(ProposeError::new(ProposeErrorKind::Shutdown)))
        })
    }
}
