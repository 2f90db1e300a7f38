//! A place to stop at, before and after every entry that this node writes as the leader.

use std::fmt::Debug;

use async_trait::async_trait;

/// Asked around each write. An answer that never comes holds the leader there for as long as a test needs to stop it.
#[async_trait]
pub trait Checkpoint: Debug + Send + Sync {
    /// The commands are chosen; no log has them.
    async fn before(&self);

    /// A majority's logs have the entry and the state shows it, or it was refused. Nobody that proposed it knows.
    async fn after(&self);
}

/// Nobody stops anything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

#[async_trait]
impl Checkpoint for Unwatched {
    async fn before(&self) {}
    async fn after(&self) {}
}
