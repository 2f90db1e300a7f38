//! The agent's memory of what it was allowed to do and did.
//!
//! ```text
//! begin(p) ── on disk ──► the effect ──► finish(p, outcome) ── on disk ──► told
//! ```
//!
//! A crash between the two writes leaves a permit that was begun and not finished: the agent then looks at the
//! engine before it does anything, since the effect may be there.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use skep_types::PermitId;
use tokio::sync::Mutex;

use crate::permit::{Outcome, PermitOutcome};
use crate::store::{Record, Store, StoreError, read_json, write_json};

#[derive(Debug)]
pub(crate) struct Ledger {
    store: Arc<dyn Store>,
    page: Mutex<Page>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Page {
    session_number: u64,
    permit: Option<Entry>,
    /// The Docker id of the swarm this host was last told to join, or made. Docker does not tell it to workers.
    #[serde(default)]
    swarm_id: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    permit: PermitId,
    /// None between begin and finish.
    outcome: Option<Outcome>,
}

/// What the ledger says of a permit that is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Never begun here.
    New,
    /// Older than the last one: from a coordinator that has not heard yet. Permits are numbered upwards.
    Stale,
    /// Begun, by this process or one before: the effect may be there, or on its way.
    Begun,
    Finished(Outcome),
}

impl Ledger {
    pub(crate) async fn open(store: Arc<dyn Store>) -> Result<Self, StoreError> {
        let page = read_json(&*store, Record::Ledger).await?.unwrap_or_default();
        Ok(Self { store, page: Mutex::new(page) })
    }

    /// The number of a new session: on disk before it is used, so that two disks of one origin never agree on it.
    pub(crate) async fn next_session(&self) -> Result<u64, StoreError> {
        self.change(|page| {
            page.session_number += 1;
            page.session_number
        })
        .await
    }

    pub(crate) async fn standing(&self, permit: PermitId) -> Standing {
        match &self.page.lock().await.permit {
            Some(entry) if entry.permit == permit => match &entry.outcome {
                Some(outcome) => Standing::Finished(outcome.clone()),
                None => Standing::Begun,
            },
            Some(entry) if entry.permit > permit => Standing::Stale,
            _ => Standing::New,
        }
    }

    /// What is told of the last permit when a session begins.
    pub(crate) async fn last_outcome(&self) -> Option<PermitOutcome> {
        let page = self.page.lock().await;
        let entry = page.permit.clone()?;
        let outcome = entry.outcome.unwrap_or_else(|| Outcome::in_progress("begun, outcome not known yet"));
        Some(PermitOutcome { permit: entry.permit, outcome })
    }

    /// The swarm that this host is in, if it is in one and came there by a permit.
    pub(crate) async fn swarm_id(&self) -> String {
        self.page.lock().await.swarm_id.clone()
    }

    /// Must be on disk before the effect is tried. `joining` is the Docker id of the swarm that a join is for.
    pub(crate) async fn begin(&self, permit: PermitId, joining: Option<&str>) -> Result<(), StoreError> {
        self.change(|page| {
            page.permit = Some(Entry { permit, outcome: None });
            if let Some(swarm_id) = joining {
                page.swarm_id = swarm_id.to_owned();
            }
        })
        .await
    }

    /// Must be on disk before the outcome is told.
    pub(crate) async fn finish(&self, permit: PermitId, outcome: &Outcome) -> Result<(), StoreError> {
        self.change(|page| {
            page.permit = Some(Entry { permit, outcome: Some(outcome.clone()) });
            if let Outcome::Done(done) = outcome
                && !done.swarm_id.is_empty()
            {
                page.swarm_id = done.swarm_id.clone();
            }
        })
        .await
    }

    /// Memory follows the disk: a change that could not be written did not happen.
    async fn change<T>(&self, change: impl FnOnce(&mut Page) -> T) -> Result<T, StoreError> {
        let mut page = self.page.lock().await;
        let mut next = page.clone();
        let result = change(&mut next);
        write_json(&*self.store, Record::Ledger, &next).await?;
        *page = next;
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permit::Done;
    use crate::store::{DiskStore, MemoryStore};

    const FIRST: PermitId = PermitId::new(1, 1);
    const SECOND: PermitId = PermitId::new(1, 2);

    fn done() -> Outcome {
        Outcome::Done(Done { node_id: "n1".to_owned(), ..Done::default() })
    }

    #[tokio::test]
    async fn a_crash_before_begin_leaves_the_permit_new() {
        let store = Arc::new(MemoryStore::default());
        let ledger = Ledger::open(store.clone()).await.unwrap();
        drop(ledger);
        let ledger = Ledger::open(store).await.unwrap();
        assert_eq!(ledger.standing(FIRST).await, Standing::New);
        assert_eq!(ledger.last_outcome().await, None);
    }

    #[tokio::test]
    async fn a_crash_after_begin_is_seen_and_told_as_in_progress() {
        let store = Arc::new(MemoryStore::default());
        Ledger::open(store.clone()).await.unwrap().begin(FIRST, None).await.unwrap();
        let ledger = Ledger::open(store).await.unwrap();
        assert_eq!(ledger.standing(FIRST).await, Standing::Begun);
        assert!(!ledger.last_outcome().await.unwrap().outcome.is_final());
    }

    #[tokio::test]
    async fn a_crash_after_finish_repeats_the_outcome() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(DiskStore::open(folder.path()).unwrap());
        let ledger = Ledger::open(store.clone()).await.unwrap();
        ledger.begin(FIRST, None).await.unwrap();
        ledger.finish(FIRST, &done()).await.unwrap();
        let ledger = Ledger::open(store).await.unwrap();
        assert_eq!(ledger.standing(FIRST).await, Standing::Finished(done()));
        assert_eq!(ledger.last_outcome().await.unwrap().outcome, done());
        assert_eq!(ledger.standing(SECOND).await, Standing::New);
    }

    #[tokio::test]
    async fn a_permit_before_the_last_one_is_stale() {
        let ledger = Ledger::open(Arc::new(MemoryStore::default())).await.unwrap();
        ledger.begin(SECOND, None).await.unwrap();
        assert_eq!(ledger.standing(FIRST).await, Standing::Stale);
    }

    #[tokio::test]
    async fn session_numbers_rise_across_restarts() {
        let store = Arc::new(MemoryStore::default());
        assert_eq!(Ledger::open(store.clone()).await.unwrap().next_session().await.unwrap(), 1);
        assert_eq!(Ledger::open(store).await.unwrap().next_session().await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_damaged_ledger_stops_the_agent() {
        let store = Arc::new(MemoryStore::default());
        store.write(Record::Ledger, b"{".to_vec()).await.unwrap();
        let error = Ledger::open(store).await.unwrap_err();
        assert_eq!(error.to_string(), "ledger.json is damaged");
    }
}
