//! Where an agent keeps what must outlive it: a few small named records.

mod disk;
mod memory;

use std::fmt::Debug;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use disk::DiskStore;
pub use memory::MemoryStore;

/// A record is there whole or not at all, and once `write` returned it survives a power cut.
#[async_trait]
pub trait Store: Send + Sync + Debug + 'static {
    async fn read(&self, record: Record) -> Result<Option<Vec<u8>>, StoreError>;
    async fn write(&self, record: Record, content: Vec<u8>) -> Result<(), StoreError>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Record {
    /// The private key, PEM.
    Key,
    /// Certificates and when to renew them, JSON.
    Identity,
    /// Session number and last permit, JSON.
    Ledger,
    /// Control addresses as last told, JSON.
    Coordinators,
}

impl Record {
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Key => "agent.key",
            Self::Identity => "identity.json",
            Self::Ledger => "ledger.json",
            Self::Coordinators => "coordinators.json",
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot read {}", record.file_name())]
    Read { record: Record, source: std::io::Error },
    #[error("cannot write {}", record.file_name())]
    Write { record: Record, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{} is damaged", record.file_name())]
    Damaged { record: Record, source: serde_json::Error },
}

pub(crate) async fn read_json<T: DeserializeOwned>(
    store: &dyn Store,
    record: Record,
) -> Result<Option<T>, StoreError> {
    let Some(content) = store.read(record).await? else {
        return Ok(None);
    };
    serde_json::from_slice(&content).map(Some).map_err(|source| StoreError::Damaged { record, source })
}

pub(crate) async fn write_json<T: Serialize>(
    store: &dyn Store,
    record: Record,
    value: &T,
) -> Result<(), StoreError> {
    let content =
        serde_json::to_vec(value).map_err(|source| StoreError::Write { record, source: source.into() })?;
    store.write(record, content).await
}
