//! Records as files of mode 0600 in the agent's data folder.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::{Record, Store, StoreError};

#[derive(Debug, Clone)]
pub struct DiskStore {
    folder: PathBuf,
}

impl DiskStore {
    /// Makes the folder, mode 0700, where it is missing.
    pub fn open(folder: &Path) -> io::Result<Self> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    pub fn path(&self, record: Record) -> PathBuf {
        self.folder.join(record.file_name())
    }
}

#[async_trait]
impl Store for DiskStore {
    async fn read(&self, record: Record) -> Result<Option<Vec<u8>>, StoreError> {
        match tokio::fs::read(self.path(record)).await {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::Read { record, source }),
        }
    }

    async fn write(&self, record: Record, content: Vec<u8>) -> Result<(), StoreError> {
        let path = self.path(record);
        // A sync can take seconds on a busy disk; heartbeats must not wait for it.
        let written = tokio::task::spawn_blocking(move || skep_tls::write_private(&path, &content)).await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(StoreError::Write { record, source: source.into() }),
            Err(source) => Err(StoreError::Write { record, source: source.into() }),
        }
    }
}
