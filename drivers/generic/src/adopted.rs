//! What this coordinator has adopted, in its state folder: a help for `list`, where machines stand in no inventory.
//!
//! Only a hint. Another coordinator has another folder, and an empty one is as good: whose a machine is stands on the
//! machine.

use std::path::{Path, PathBuf};

use skep_types::ProviderId;
use tokio::fs;

use crate::instance::Kept;
use crate::inventory::MACHINES_MAX;

#[derive(Debug)]
pub(crate) struct Adopted {
    /// None where there is no state folder.
    folder: Option<PathBuf>,
}

impl Adopted {
    pub(crate) fn new(state_dir: &Path) -> Self {
        let there = !state_dir.as_os_str().is_empty();
        Self { folder: there.then(|| state_dir.join("adopted")) }
    }

    pub(crate) async fn note(&self, id: &ProviderId, kept: &Kept) {
        let Some(folder) = &self.folder else { return };
        let written = async {
            fs::create_dir_all(folder).await?;
            fs::write(folder.join(id.as_str()), serde_json::to_vec(kept)?).await
        };
        if let Err(error) = written.await {
            tracing::debug!(%id, %error, "could not note what was adopted");
        }
    }

    pub(crate) async fn forget(&self, id: &ProviderId) {
        if let Some(folder) = &self.folder {
            // Noted by another coordinator, or forgotten before.
            let _absent = fs::remove_file(folder.join(id.as_str())).await;
        }
    }

    pub(crate) async fn all(&self) -> Vec<Kept> {
        let mut all = Vec::new();
        let Some(folder) = &self.folder else { return all };
        let Ok(mut entries) = fs::read_dir(folder).await else { return all };
        while let Ok(Some(entry)) = entries.next_entry().await {
            if all.len() >= MACHINES_MAX {
                break;
            }
            let bytes = fs::read(entry.path()).await.unwrap_or_default();
            all.extend(serde_json::from_slice::<Kept>(&bytes).ok());
        }
        all
    }
}
