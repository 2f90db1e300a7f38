//! Records in memory: for agents that live and die with a simulated instance, and for tests. Clones share them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{Record, Store, StoreError};

#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    records: Arc<Mutex<BTreeMap<Record, Vec<u8>>>>,
}

#[async_trait]
impl Store for MemoryStore {
    async fn read(&self, record: Record) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.records.lock().unwrap_or_else(PoisonError::into_inner).get(&record).cloned())
    }

    async fn write(&self, record: Record, content: Vec<u8>) -> Result<(), StoreError> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).insert(record, content);
        Ok(())
    }
}
