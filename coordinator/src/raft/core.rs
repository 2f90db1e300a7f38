//! Proposing and reading, wherever the leader is. Runs on the raft runtime; the handle only calls it.

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use openraft::ReadPolicy;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::RaftError;
use skep_core::{Command, Reply};
use skep_types::CoordinatorId;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};

use super::beat::{Beat, BeatAnswer, BeatHandler};
use super::changes::ChangeFeed;
use super::config::RaftConfig;
use super::error::{ProposeError, ProposeErrorKind};
use super::leadership::Leadership;
use super::network::PeerClient;
use super::proposer::{Accepted, Proposal, parts, stopped};
use super::state_machine::Published;
use super::time::ClusterClock;
use super::types::{Node, Raft};

/// One try at one leader. A frozen one holds nobody up for longer; all commands are safe to repeat.
const ATTEMPT: Duration = Duration::from_secs(2);
/// Between two tries while the known leader does not change. A fresh leader refuses for about as long.
const PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct Core {
    pub(super) config: RaftConfig,
    pub(super) raft: Raft,
    pub(super) published: watch::Receiver<Arc<Published>>,
    pub(super) changes: Arc<ChangeFeed>,
    pub(super) clock: Arc<ClusterClock>,
    pub(super) leadership: watch::Receiver<Leadership>,
    pub(super) proposals: mpsc::Sender<Proposal>,
    pub(super) peers: PeerClient,
    pub(super) beats: Arc<dyn BeatHandler>,
    /// Held by whoever changes the members: a change that nobody holds it for was interrupted.
    pub(super) changing: tokio::sync::Mutex<()>,
}

/// Where the leader is.
pub(super) enum Leader {
    Here,
    There(CoordinatorId, Node),
}

impl Core {
    pub(super) async fn propose(&self, commands: Vec<Command>) -> Result<Vec<Reply>, ProposeError> {
        let deadline = Instant::now() + self.config.patience;
        let mut replies = Vec::with_capacity(commands.len());
        for (part, bytes) in parts(commands)? {
            let accepted = self.retried(deadline, || self.propose_once(&part, bytes, deadline)).await?;
            replies.extend(accepted.replies);
        }
        Ok(replies)
    }

    async fn propose_once(
        &self,
        part: &[Command],
        bytes: usize,
        deadline: Instant,
    ) -> Result<Accepted, ProposeError> {
        match self.leader()? {
            Leader::Here => self.enqueue(part.to_vec(), bytes).await,
            Leader::There(id, node) => {
                let accepted = self.peers.propose(id, &node, part, ATTEMPT).await?;
                self.applied(accepted.index, deadline).await?;
                Ok(accepted)
            }
        }
    }

    /// For commands that were forwarded to this coordinator as the leader.
    pub(super) async fn propose_here(&self, commands: Vec<Command>) -> Result<Accepted, ProposeError> {
        let mut accepted = Accepted { replies: Vec::new(), index: 0 };
        for (part, bytes) in parts(commands)? {
            let next = timeout(ATTEMPT, self.enqueue(part, bytes)).await;
            let next = next.map_err(|_| ProposeError::new(ProposeErrorKind::Timeout))??;
            accepted.replies.extend(next.replies);
            accepted.index = next.index;
        }
        Ok(accepted)
    }

    async fn enqueue(&self, commands: Vec<Command>, bytes: usize) -> Result<Accepted, ProposeError> {
        let (answer, answered) = oneshot::channel();
        self.proposals.try_send(Proposal { commands, bytes, answer }).map_err(|error| match error {
            TrySendError::Full(_) => ProposeError::new(ProposeErrorKind::Exhausted),
            TrySendError::Closed(_) => ProposeError::new(ProposeErrorKind::Shutdown),
        })?;
        answered.await.map_err(|_| ProposeError::new(ProposeErrorKind::Shutdown))?
    }

    /// A state that has everything that was acknowledged, anywhere, before this was called.
    pub(super) async fn read(&self) -> Result<Arc<Published>, ProposeError> {
        let deadline = Instant::now() + self.config.patience;
        let index = self.retried(deadline, || self.read_index()).await?;
        self.applied(index, deadline).await
    }

    async fn read_index(&self) -> Result<u64, ProposeError> {
        match self.leader()? {
            Leader::Here => self.read_index_here().await,
            Leader::There(id, node) => self.peers.read_index(id, &node, ATTEMPT).await,
        }
    }

    /// On the leader, after a majority has confirmed that it still leads.
    pub(super) async fn read_index_here(&self) -> Result<u64, ProposeError> {
        match self.raft.get_read_log_id(ReadPolicy::ReadIndex).await {
            Ok((read, _)) => Ok(read.index()),
            Err(RaftError::APIError(error)) => {
                Err(ProposeError::caused(ProposeErrorKind::NoLeader, error.to_string()))
            }
            Err(RaftError::Fatal(fatal)) => Err(stopped(&fatal)),
        }
    }

    /// Waits until this coordinator's own state has an entry.
    async fn applied(&self, index: u64, deadline: Instant) -> Result<Arc<Published>, ProposeError> {
        let mut published = self.published.clone();
        let applied =
            timeout_at(deadline, published.wait_for(|published| published.applied_index >= index)).await;
        match applied {
            Ok(Ok(published)) => Ok(published.clone()),
            Ok(Err(_)) => Err(ProposeError::new(ProposeErrorKind::Shutdown)),
            Err(_) => Err(ProposeError::new(ProposeErrorKind::Timeout)),
        }
    }

    pub(super) async fn beat(&self, beat: Beat) -> Result<BeatAnswer, ProposeError> {
        match self.leader()? {
            Leader::Here => self.beat_here(beat).await,
            Leader::There(id, node) => self.peers.beat(id, &node, &beat, ATTEMPT).await,
        }
    }

    pub(super) async fn beat_here(&self, beat: Beat) -> Result<BeatAnswer, ProposeError> {
        let leadership = *self.leadership.borrow();
        if !leadership.leading {
            return Err(ProposeError::new(ProposeErrorKind::NoLeader));
        }
        Ok(self.beats.beat(beat, leadership.term).await)
    }

    pub(super) fn leader(&self) -> Result<Leader, ProposeError> {
        let nobody = || ProposeError::new(ProposeErrorKind::NoLeader);
        let id = self.leadership.borrow().leader.ok_or_else(nobody)?;
        if id == self.config.id {
            return Ok(Leader::Here);
        }
        let metrics = self.raft.metrics();
        let node = metrics.borrow_watched().membership_config.get_node(&id.0).cloned();
        Ok(Leader::There(id, node.ok_or_else(nobody)?))
    }

    /// Why raft has ended here.
    fn ended(&self) -> ProposeError {
        match &self.raft.metrics().borrow_watched().running_state {
            Ok(()) => ProposeError::new(ProposeErrorKind::Shutdown),
            Err(fatal) => stopped(fatal),
        }
    }

    /// Tries until it works, or trying again does not help, or the time is over.
    pub(super) async fn retried<T, F>(
        &self,
        deadline: Instant,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, ProposeError>
    where
        F: Future<Output = Result<T, ProposeError>>,
    {
        let mut leadership = self.leadership.clone();
        loop {
            leadership.mark_unchanged();
            let within = deadline.min(Instant::now() + ATTEMPT);
            let tried = timeout_at(within, attempt()).await;
            let error = match tried.unwrap_or_else(|_| Err(ProposeError::new(ProposeErrorKind::Timeout))) {
                Ok(done) => return Ok(done),
                Err(error) if !error.passing() || Instant::now() + PAUSE >= deadline => return Err(error),
                Err(error) => error,
            };
            tracing::debug!(%error, "trying again");
            if let Ok(Err(_)) = timeout(PAUSE, leadership.changed()).await {
                return Err(self.ended());
            }
        }
    }
}

impl ProposeError {
    /// Whether another try, perhaps at another leader, may succeed at once.
    fn passing(&self) -> bool {
        matches!(self.kind(), ProposeErrorKind::NoLeader | ProposeErrorKind::Timeout | ProposeErrorKind::Busy)
    }
}
