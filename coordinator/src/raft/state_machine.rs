//! Committed entries become the state in memory, and the state becomes snapshots.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{Stream, TryStreamExt};
use openraft::storage::{ApplyResponder, EntryResponder, RaftStateMachine};
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder};
use skep_core::State;
use skep_types::CoordinatorId;
use tokio::sync::watch;

use super::changes::{ChangeFeed, Dirty};
use super::snapshot::{SnapshotFile, SnapshotFolder};
use super::time::ClusterClock;
use super::types::{Applied, LogEntry, LogId, Snapshot, SnapshotMeta, StoredMembership, TypeConfig};

/// Entries applied before readers see them: publishing costs some Arcs, and holding many back costs time.
const PUBLISH_EVERY: usize = 64;

/// The state as of one applied entry.
#[derive(Debug, Clone, Default)]
pub struct Published {
    pub state: State,
    /// Of the last applied entry in the log; 0 before the first.
    pub applied_index: u64,
    pub(super) membership: StoredMembership,
}

impl std::ops::Deref for Published {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

/// What the state machine tells the rest of the node.
#[derive(Debug)]
pub(super) struct Outlets {
    pub(super) published: watch::Sender<Arc<Published>>,
    pub(super) changes: Arc<ChangeFeed>,
    pub(super) clock: Arc<ClusterClock>,
    pub(super) id: CoordinatorId,
}

#[derive(Debug)]
pub(super) struct StateMachine {
    state: State,
    applied: Option<LogId>,
    membership: StoredMembership,
    folder: SnapshotFolder,
    current: Current,
    outlets: Outlets,
}

/// The newest snapshot: builders set it, too.
type Current = Arc<Mutex<Option<Snapshot>>>;

fn lock(current: &Current) -> MutexGuard<'_, Option<Snapshot>> {
    current.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StateMachine {
    /// Starts from a snapshot that was read, or empty.
    pub(super) fn new(
        folder: SnapshotFolder,
        snapshot: Option<(SnapshotMeta, State, SnapshotFile)>,
        outlets: Outlets,
    ) -> Self {
        let current = Current::default();
        let mut machine = Self {
            state: State::default(),
            applied: None,
            membership: StoredMembership::default(),
            folder,
            current,
            outlets,
        };
        if let Some((meta, state, file)) = snapshot {
            machine.replace(&meta, state, file);
        }
        machine
    }

    fn replace(&mut self, meta: &SnapshotMeta, state: State, file: SnapshotFile) {
        self.state = state;
        self.applied = meta.last_log_id;
        self.membership = meta.last_membership.clone();
        *lock(&self.current) = Some(Snapshot { meta: meta.clone(), snapshot: file });
        self.outlets.clock.applied(self.state.time, false);
        self.publish(&Dirty::all());
    }

    fn publish(&self, dirty: &Dirty) {
        self.outlets.published.send_replace(Arc::new(Published {
            state: self.state.clone(),
            applied_index: self.applied.map_or(0, |applied| applied.index),
            membership: self.membership.clone(),
        }));
        self.outlets.changes.publish(dirty);
    }

    fn apply_one(&mut self, entry: LogEntry, dirty: &mut Dirty) -> Applied {
        self.applied = Some(entry.log_id);
        match entry.payload {
            EntryPayload::Blank => Applied::default(),
            EntryPayload::Normal(proposed) => {
                let (replies, changes) = skep_core::apply(&mut self.state, &proposed.0);
                dirty.changes.merge(changes);
                let own = entry.log_id.leader_id.node_id == self.outlets.id.0;
                self.outlets.clock.applied(proposed.0.time, own);
                Applied(replies)
            }
            EntryPayload::Membership(membership) => {
                self.membership = StoredMembership::new(Some(entry.log_id), membership);
                dirty.changes.cluster = true;
                Applied::default()
            }
        }
    }

    /// Publishes, then answers: who has an answer finds what it says in the state.
    fn finish(&self, dirty: &mut Dirty, answers: &mut Vec<(ApplyResponder<TypeConfig>, Applied)>) {
        self.publish(&std::mem::take(dirty));
        for (responder, applied) in answers.drain(..) {
            responder.send(applied);
        }
    }
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotData = SnapshotFile;
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        Ok((self.applied, self.membership.clone()))
    }

    async fn apply<S>(&mut self, mut entries: S) -> Result<(), io::Error>
    where
        S: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + OptionalSend,
    {
        let mut dirty = Dirty::default();
        let mut answers = Vec::new();
        let mut pending = 0;
        while let Some((entry, responder)) = entries.try_next().await? {
            let applied = self.apply_one(entry, &mut dirty);
            answers.extend(responder.map(|responder| (responder, applied)));
            pending += 1;
            if pending == PUBLISH_EVERY {
                self.finish(&mut dirty, &mut answers);
                pending = 0;
            }
        }
        self.finish(&mut dirty, &mut answers);
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        let meta = SnapshotMeta { last_log_id: self.applied, last_membership: self.membership.clone() };
        Builder {
            meta,
            state: self.state.clone(),
            folder: self.folder.clone(),
            current: self.current.clone(),
        }
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, file: SnapshotFile) -> Result<(), io::Error> {
        let folder = self.folder.clone();
        let announced = meta.clone();
        let (state, file) = blocking(move || {
            let (found, state) = file.read()?;
            if found != announced {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the snapshot is not the one announced",
                ));
            }
            Ok((state, folder.keep(&found, file)?))
        })
        .await?;
        tracing::info!(index = meta.last_log_id.map_or(0, |last| last.index), "installed a snapshot");
        self.replace(meta, state, file);
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, io::Error> {
        Ok(lock(&self.current).clone())
    }
}

/// Writes one snapshot, from a clone of the state, beside the entries that go on being applied.
#[derive(Debug)]
pub(super) struct Builder {
    meta: SnapshotMeta,
    state: State,
    folder: SnapshotFolder,
    current: Current,
}

impl RaftSnapshotBuilder<TypeConfig> for Builder {
    type SnapshotData = SnapshotFile;

    async fn build_snapshot(&mut self) -> Result<Snapshot, io::Error> {
        let (folder, meta, state) = (self.folder.clone(), self.meta.clone(), self.state.clone());
        let file = blocking(move || folder.write(&meta, &state)).await?;
        tracing::info!(
            index = self.meta.last_log_id.map_or(0, |last| last.index),
            bytes = file.length(),
            "wrote a snapshot"
        );
        let snapshot = Snapshot { meta: self.meta.clone(), snapshot: file };
        let mut current = lock(&self.current);
        // A newer one may have been installed meanwhile.
        if current.as_ref().is_none_or(|current| current.meta.last_log_id <= snapshot.meta.last_log_id) {
            *current = Some(snapshot.clone());
        }
        Ok(snapshot)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
