//! Watches: streams that look at the state again whenever it changed, at their clients' pace.
//!
//! No task stands behind a watch and nothing is queued for it but one look's items: a client that reads slowly makes
//! its watch look less often. Its caller is checked at every look, as people are dismissed while they watch.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use skep_core::State;
use skep_types::{ClusterTime, Code, Refusal};
use tokio::time::Instant;
use tonic::Status;

use super::status::status;
use super::{Actor, Api};
use crate::raft::{ChangeSubscription, Published};

pub(super) type Watched<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What a watch found at one look.
#[derive(Debug)]
pub(super) struct Look<T> {
    pub(super) items: Vec<T>,
    pub(super) then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// There is more of the same to be had at once.
    Again,
    /// Until something changed.
    Wait,
    End,
}

/// Something that can be looked at for news. Pure: the state comes in.
pub(super) trait Watch: Debug + Send + 'static {
    type Item: Send;

    /// The shortest time between two looks that found something.
    const PACE: Duration;

    fn look(&mut self, state: &State, now: ClusterTime) -> Result<Look<Self::Item>, Refusal>;
}

#[derive(Debug)]
struct Follower<W: Watch> {
    api: Api,
    actor: Actor,
    watch: W,
    changes: ChangeSubscription,
    /// Found, and not taken yet.
    items: VecDeque<W::Item>,
    next: Next,
    rest_until: Instant,
}

#[derive(Debug)]
enum Next {
    Look(Arc<Published>),
    Wait,
    End,
}

impl Api {
    /// Begins with a look at `first`.
    pub(super) fn follow<W: Watch>(&self, actor: Actor, watch: W, first: Arc<Published>) -> Watched<W::Item> {
        let follower = Follower {
            api: self.clone(),
            actor,
            watch,
            changes: self.context.raft.subscribe_changes(),
            items: VecDeque::new(),
            next: Next::Look(first),
            rest_until: Instant::now(),
        };
        Box::pin(futures::stream::unfold(follower, |mut follower| async move {
            let item = follower.item().await?;
            let item = item.map_err(|refusal| {
                follower.next = Next::End;
                status(&refusal)
            });
            Some((item, follower))
        }))
    }
}

impl<W: Watch> Follower<W> {
    async fn item(&mut self) -> Option<Result<W::Item, Refusal>> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Some(Ok(item));
            }
            let looked = match std::mem::replace(&mut self.next, Next::Wait) {
                Next::End => return None,
                Next::Look(state) => self.look(&state),
                Next::Wait => self.changed().await.map(|state| self.next = Next::Look(state)),
            };
            if let Err(refusal) = looked {
                return Some(Err(refusal));
            }
        }
    }

    fn look(&mut self, state: &Arc<Published>) -> Result<(), Refusal> {
        self.actor.still_admitted(state)?;
        let Look { items, then } = self.watch.look(state, self.api.context.raft.now())?;
        if !items.is_empty() {
            self.rest_until = Instant::now() + W::PACE;
        }
        self.items.extend(items);
        self.next = match then {
            Then::Again => Next::Look(Arc::clone(state)),
            Then::Wait => Next::Wait,
            Then::End => Next::End,
        };
        Ok(())
    }

    async fn changed(&mut self) -> Result<Arc<Published>, Refusal> {
        let change = async {
            tokio::time::sleep_until(self.rest_until).await;
            self.changes.changed().await;
        };
        tokio::select! {
            () = change => Ok(self.api.context.raft.state()),
            () = self.api.stopping.cancelled() => {
                Err(Refusal::new(Code::Unavailable, "this coordinator is stopping; watch on from another one"))
            }
        }
    }
}
