//! Why a store cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use skep_types::CoordinatorId;

use crate::raft::codec::Unreadable;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{path} cannot be used")]
    Io { path: PathBuf, source: io::Error },
    #[error("the log {path} cannot be opened")]
    Database { path: PathBuf, source: Box<redb::Error> },
    #[error("{path} holds nothing of this coordinator: it has to join under a new id")]
    Missing { path: PathBuf },
    #[error("{path} already holds the data of a coordinator")]
    Exists { path: PathBuf },
    #[error("{path} is damaged in both copies")]
    FloorDamaged { path: PathBuf },
    #[error(
        "{path} belongs to coordinator {found} of cluster {found_cluster}, not to {wanted} of {wanted_cluster}"
    )]
    Identity {
        path: PathBuf,
        found: CoordinatorId,
        found_cluster: String,
        wanted: CoordinatorId,
        wanted_cluster: String,
    },
    #[error("{path} and its floor record come from different stores: one of them was replaced")]
    Incarnation { path: PathBuf },
    #[error(
        "{path} has lost what was acknowledged: its {what} is {found}, its floor record says {floor}; remove this \
         coordinator from the cluster and let it join under a new id"
    )]
    Behind { path: PathBuf, what: &'static str, found: String, floor: String },
    #[error("{path} holds what this version cannot read")]
    Unreadable { path: PathBuf, source: Unreadable },
}

impl StoreError {
    pub(in crate::raft) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(super) fn database(path: &Path, source: impl Into<redb::Error>) -> Self {
        Self::Database { path: path.to_owned(), source: Box::new(source.into()) }
    }
}
