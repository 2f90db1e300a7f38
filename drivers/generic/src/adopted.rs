//! What this coordinator has begun to adopt, in its state folder: a help for `list`, where machines stand in no inventory,
//! and for telling a machine that may carry our marker from one that cannot.
//!
//! Only a hint. Another coordinator has another folder, and an empty one is as good: whose a machine is stands on the
//! machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use skep_types::{IntentId, ProviderId};
use tokio::fs;
use tokio::time::Instant;

use crate::instance::Kept;
use crate::inventory::MACHINES_MAX;

/// Of machines whose adoption broke off. Each is an open intent, or was one until another coordinator took over.
const UNSURE_MAX: usize = 1000;

#[derive(Debug)]
pub(crate) struct Adopted {
    /// None where there is no state folder.
    folder: Option<PathBuf>,
    /// Since when nobody knows how far an adoption came.
    unsure: Mutex<BTreeMap<ProviderId, Instant>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    #[serde(flatten)]
    kept: Kept,
    /// A later addition.
    #[serde(default)]
    intent: Option<IntentId>,
}

impl Adopted {
    pub(crate) fn new(state_dir: &Path) -> Self {
        let there = !state_dir.as_os_str().is_empty();
        Self { folder: there.then(|| state_dir.join("adopted")), unsure: Mutex::default() }
    }

    /// Before the machine is claimed: what breaks off later is found again.
    pub(crate) async fn note(&self, id: &ProviderId, intent: IntentId, kept: &Kept) {
        let Some(folder) = &self.folder else { return };
        let note = Note { kept: kept.clone(), intent: Some(intent) };
        let written = async {
            fs::create_dir_all(folder).await?;
            fs::write(folder.join(id.as_str()), serde_json::to_vec(&note)?).await
        };
        if let Err(error) = written.await {
            tracing::warn!(%id, %error, "could not note what is adopted");
        }
    }

    pub(crate) async fn forget(&self, id: &ProviderId) {
        if let Some(folder) = &self.folder {
            // Noted by another coordinator, or forgotten before.
            let _absent = fs::remove_file(folder.join(id.as_str())).await;
        }
    }

    /// The machine, when its adoption was begun here for this intent.
    pub(crate) async fn begun(&self, id: &ProviderId, intent: IntentId) -> Option<Kept> {
        let note = read(&self.folder.as_ref()?.join(id.as_str())).await?;
        (note.intent == Some(intent)).then_some(note.kept)
    }

    /// For how long nobody knows by now how far its adoption came.
    pub(crate) fn unsure_for(&self, id: &ProviderId) -> Duration {
        let mut unsure = self.unsure.lock().unwrap_or_else(PoisonError::into_inner);
        if unsure.len() >= UNSURE_MAX && !unsure.contains_key(id) {
            unsure.pop_first();
        }
        unsure.entry(id.clone()).or_insert_with(Instant::now).elapsed()
    }

    pub(crate) fn settled(&self, id: &ProviderId) {
        self.unsure.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    pub(crate) async fn all(&self) -> Vec<Kept> {
        let mut all = Vec::new();
        let Some(folder) = &self.folder else { return all };
        let Ok(mut entries) = fs::read_dir(folder).await else { return all };
        while let Ok(Some(entry)) = entries.next_entry().await {
            if all.len() >= MACHINES_MAX {
                break;
            }
            all.extend(read(&entry.path()).await.map(|note| note.kept));
        }
        all
    }
}

async fn read(path: &Path) -> Option<Note> {
    serde_json::from_slice(&fs::read(path).await.ok()?).ok()
}
