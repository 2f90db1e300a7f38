//! Voters come and go, one at a time, on the leader's word. Every step is repeated safely: a change that was interrupted
//! by a lost leader is finished by calling it again.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use openraft::ChangeMembers;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::{ChangeMembershipError, ClientWriteError, RaftError};
use skep_types::CoordinatorId;
use tokio::sync::MutexGuard;
use tokio::time::{Instant, timeout, timeout_at};

use super::core::{Core, Leader};
use super::error::{ProposeError, ProposeErrorKind};
use super::proposer::stopped;
use super::types::{Membership, Node, TypeConfig};

/// Bringing a new coordinator up to date: a snapshot and some thousand entries.
const CATCH_UP: Duration = Duration::from_secs(120);
/// A change of voters takes two entries.
const CHANGE: Duration = Duration::from_secs(10);
/// Handing leadership over takes milliseconds; where the target does not take it, some election time-outs. On a machine
/// that is short of time this node may win that election itself: then it did not work.
const TRANSFER: Duration = Duration::from_secs(5);

type WriteError = RaftError<TypeConfig, ClientWriteError<TypeConfig>>;

fn failed(error: WriteError) -> ProposeError {
    match error {
        RaftError::Fatal(fatal) => stopped(&fatal),
        RaftError::APIError(ClientWriteError::ChangeMembershipError(
            error @ (ChangeMembershipError::InProgress(_) | ChangeMembershipError::UncommittedLeaderLog(_)),
        )) => ProposeError::caused(ProposeErrorKind::Busy, error.to_string()),
        RaftError::APIError(error) => ProposeError::caused(ProposeErrorKind::NoLeader, error.to_string()),
    }
}

impl Core {
    /// The first node of a new cluster.
    pub(super) async fn initialize_single(&self, node: Node) -> Result<(), ProposeError> {
        let id = self.config.id;
        match self.raft.initialize(BTreeMap::from([(id.0, node)])).await {
            Ok(()) => {}
            // It was initialised before; the cluster goes on from there.
            Err(RaftError::APIError(_)) => tracing::debug!("the cluster is initialised already"),
            Err(RaftError::Fatal(fatal)) => return Err(stopped(&fatal)),
        }
        let mut leadership = self.leadership.clone();
        let led =
            timeout(self.config.patience, leadership.wait_for(|leadership| leadership.leader.is_some()))
                .await;
        match led {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(ProposeError::new(ProposeErrorKind::Shutdown)),
            Err(_) => Err(ProposeError::new(ProposeErrorKind::Timeout)),
        }
    }

    /// First a learner, then, once it has caught up, a voter.
    pub(super) async fn add_voter(&self, id: CoordinatorId, node: Node) -> Result<(), ProposeError> {
        let deadline = Instant::now() + CATCH_UP;
        let _alone = self.change_alone(deadline).await?;
        self.until(deadline, || self.put_node(id, &node)).await?;
        if self.is_voter(id) {
            return Ok(());
        }
        self.until(deadline, || async { self.raft.add_learner(id.0, node.clone(), true).await.map(drop) })
            .await?;
        tracing::info!(coordinator = %id, "a coordinator has caught up");
        self.change(|| ChangeMembers::AddVoterIds(BTreeSet::from([id.0])), true).await
    }

    /// Makes it known, or known under another address.
    async fn put_node(&self, id: CoordinatorId, node: &Node) -> Result<(), WriteError> {
        match self.membership().get_node(&id.0) {
            Some(known) if known == node => Ok(()),
            Some(_) => {
                let nodes = ChangeMembers::SetNodes(BTreeMap::from([(id.0, node.clone())]));
                self.raft.change_membership(nodes, true).await.map(drop)
            }
            None => self.raft.add_learner(id.0, node.clone(), false).await.map(drop),
        }
    }

    /// Neither a voter nor a learner afterwards. Its id must not be used again.
    pub(super) async fn remove_voter(&self, id: CoordinatorId) -> Result<(), ProposeError> {
        let _alone = self.change_alone(Instant::now() + CHANGE).await?;
        if self.is_voter(id) {
            self.change(|| ChangeMembers::RemoveVoters(BTreeSet::from([id.0])), false).await?;
        }
        if self.membership().get_node(&id.0).is_some() {
            self.change(|| ChangeMembers::RemoveNodes(BTreeSet::from([id.0])), false).await?;
        }
        Ok(())
    }

    /// Whenever this node comes to lead: its predecessor may have got no further than a joint configuration.
    pub(super) async fn finish_interrupted_changes(&self) {
        let mut leadership = self.leadership.clone();
        while leadership.wait_for(|leadership| leadership.leading).await.is_ok() {
            if let Err(error) = self.change_alone(Instant::now() + CATCH_UP).await {
                tracing::warn!(%error, "cannot finish a change of the members");
            }
            if leadership.wait_for(|leadership| !leadership.leading).await.is_err() {
                return;
            }
        }
    }

    /// On the leader: waits for another change to end, and finishes one that was interrupted.
    async fn change_alone(&self, deadline: Instant) -> Result<MutexGuard<'_, ()>, ProposeError> {
        self.require_leading()?;
        let alone = timeout_at(deadline, self.changing.lock()).await;
        let alone = alone.map_err(|_| ProposeError::new(ProposeErrorKind::Busy))?;
        if let [_, wanted] = self.membership().get_joint_config().as_slice() {
            tracing::info!(voters = ?wanted, "finishing a change of the members");
            self.change(|| ChangeMembers::ReplaceAllVoters(wanted.clone()), true).await?;
        }
        Ok(alone)
    }

    /// Through whichever coordinator leads: who leads afterwards.
    pub(super) async fn move_leadership(
        &self,
        to: Option<CoordinatorId>,
    ) -> Result<CoordinatorId, ProposeError> {
        let mut leadership = self.leadership.clone();
        let before = match self.leader()? {
            Leader::Here => {
                self.transfer_leadership(to).await?;
                None
            }
            Leader::There(id, _) if to == Some(id) => return Ok(id),
            Leader::There(id, node) => {
                self.peers.hand_over(id, &node, to, TRANSFER * 2).await?;
                Some(id)
            }
        };
        // It has moved; this coordinator hears of it with the new leader's first heartbeat.
        let moved = leadership.wait_for(|now| now.leader.is_some() && now.leader != before);
        match timeout(TRANSFER, moved).await {
            Ok(Ok(now)) => now.leader.ok_or_else(|| ProposeError::new(ProposeErrorKind::NoLeader)),
            Ok(Err(_)) => Err(ProposeError::new(ProposeErrorKind::Shutdown)),
            Err(_) => Err(ProposeError::new(ProposeErrorKind::Timeout)),
        }
    }

    /// On the leader. To a given voter, or to the one that has most of the log. Nothing happens where this is the only voter.
    pub(super) async fn transfer_leadership(&self, to: Option<CoordinatorId>) -> Result<(), ProposeError> {
        self.require_leading()?;
        let Some(target) = to.or_else(|| self.nearest_voter()).filter(|target| *target != self.config.id)
        else {
            return Ok(());
        };
        let mut leadership = self.leadership.clone();
        self.raft.trigger().transfer_leader(target.0).await.map_err(|fatal| stopped(&fatal))?;
        let moved = leadership
            .wait_for(|leadership| leadership.leader.is_some_and(|leader| leader != self.config.id));
        match timeout(TRANSFER, moved).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(ProposeError::new(ProposeErrorKind::Shutdown)),
            Err(_) => Err(ProposeError::new(ProposeErrorKind::Timeout)),
        }
    }

    fn nearest_voter(&self) -> Option<CoordinatorId> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let matched = |id: &u64| metrics.replication.as_ref().and_then(|all| all.get(id).copied().flatten());
        let others = metrics.membership_config.voter_ids().filter(|id| *id != self.config.id.0);
        others.max_by_key(matched).map(CoordinatorId)
    }

    async fn change(
        &self,
        members: impl Fn() -> ChangeMembers<u64, Node>,
        retain: bool,
    ) -> Result<(), ProposeError> {
        let deadline = Instant::now() + CHANGE;
        self.until(deadline, || async { self.raft.change_membership(members(), retain).await.map(drop) })
            .await
    }

    /// Repeats while raft is not ready for it: a new leader's first entry, for one. Not bounded per attempt: catching up is one attempt.
    async fn until<F>(&self, deadline: Instant, mut attempt: impl FnMut() -> F) -> Result<(), ProposeError>
    where
        F: Future<Output = Result<(), WriteError>>,
    {
        let mut metrics = self.raft.metrics();
        loop {
            let tried = timeout_at(deadline, attempt()).await;
            let error = match tried.map_err(|_| ProposeError::new(ProposeErrorKind::Timeout))? {
                Ok(()) => return Ok(()),
                Err(error) => failed(error),
            };
            if error.kind() != ProposeErrorKind::Busy {
                return Err(error);
            }
            // What is waited for ends with a change of the metrics.
            match timeout_at(deadline, metrics.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(ProposeError::new(ProposeErrorKind::Shutdown)),
                Err(_) => return Err(error),
            }
        }
    }

    fn require_leading(&self) -> Result<(), ProposeError> {
        let here = self.leadership.borrow().leader == Some(self.config.id);
        if here { Ok(()) } else { Err(ProposeError::new(ProposeErrorKind::NoLeader)) }
    }

    pub(super) fn membership(&self) -> Membership {
        self.raft.metrics().borrow_watched().membership_config.membership().clone()
    }

    fn is_voter(&self, id: CoordinatorId) -> bool {
        self.membership().voter_ids().any(|voter| voter == id.0)
    }
}
