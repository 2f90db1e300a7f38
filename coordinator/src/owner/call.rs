//! One intent's way to its driver and back: fenced calls out, outcomes with the epoch in.

use std::sync::Arc;
use std::time::Duration;

use skep_core::command::{Command, FailureKind, OutcomeCommand, Reply};
use skep_core::state::Intent;
use skep_driver::{Driver, DriverError, ErrorKind, Instance};
use skep_types::IntentId;
use tokio_util::sync::CancellationToken;

use super::waiting::Said;
use super::{Lease, Ownership};
use crate::context::Context;

/// Between looks at a lease that has run out, and after a proposal that was not committed.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest between tries to open an account: a person mends it, and looks whether that helped.
const OPENING_PAUSE_MAX: Duration = Duration::from_secs(15);
/// Pages of one list: a driver that never stops paging is broken.
const PAGES: usize = 10_000;

#[derive(Debug)]
pub(super) struct Caller {
    pub(super) context: Context,
    pub(super) epoch: u64,
    pub(super) said: Said,
    lease: Lease,
    stop: CancellationToken,
}

impl Caller {
    pub(super) fn new(context: &Context, ownership: &Ownership, epoch: u64, stop: CancellationToken) -> Self {
        Self { context: context.clone(), epoch, said: Said::default(), lease: ownership.lease.clone(), stop }
    }

    pub(super) async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Returns when this process may act. Asked right before each call.
    pub(super) async fn fence(&self) {
        while !self.lease.valid() {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The account's driver, when it can be used. Until then the intent stays Open, and its hosts say why.
    pub(super) async fn driver(&self, intent: &Intent) -> Arc<dyn Driver> {
        let mut pause = PAUSE;
        loop {
            self.fence().await;
            match self.open(intent).await {
                Ok(driver) => {
                    self.account_usable(intent).await;
                    return driver;
                }
                Err(error) => self.account_unusable(intent, &error).await,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(OPENING_PAUSE_MAX);
        }
    }

    async fn open(&self, intent: &Intent) -> Result<Arc<dyn Driver>, DriverError> {
        let accounts = &self.context.accounts;
        accounts.ready(&intent.account).await?;
        accounts.acting(&intent.account, &self.lease)
    }

    /// Until it is committed: an outcome is the only trace of what was done. Repeating it changes nothing.
    pub(super) async fn propose(&self, outcomes: Vec<OutcomeCommand>) -> Vec<Reply> {
        loop {
            let commands = outcomes.iter().cloned().map(Command::Outcome).collect();
            match self.context.raft.propose(commands).await {
                Ok(replies) => return replies,
                Err(error) => tracing::debug!(%error, "an outcome was not committed; trying again"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Everything that carries the intent's tag.
    pub(super) async fn tagged(
        &self,
        driver: &dyn Driver,
        intent: IntentId,
    ) -> Result<Vec<Instance>, DriverError> {
        let mut instances = everything(self, driver).await?;
        instances.retain(|instance| instance.intent == Some(intent));
        Ok(instances)
    }
}

/// Every instance of this cluster that the driver lists.
pub(super) async fn everything(caller: &Caller, driver: &dyn Driver) -> Result<Vec<Instance>, DriverError> {
    let mut instances = Vec::new();
    let mut token = None;
    for _ in 0..PAGES {
        caller.fence().await;
        let page = driver.list(caller.context.cluster.as_str(), token.as_deref()).await?;
        instances.extend(page.instances);
        token = page.next;
        if token.is_none() {
            return Ok(instances);
        }
    }
    Err(DriverError::new(ErrorKind::Internal, format!("the driver's list has more than {PAGES} pages")))
}

/// What a driver's error means for the hosts of an intent.
pub(super) fn failure_kind(error: &DriverError) -> FailureKind {
    match error.kind {
        ErrorKind::Throttled { retry_after } => FailureKind::Passing { retry_after },
        ErrorKind::Unavailable => FailureKind::Passing { retry_after: Duration::from_secs(1) },
        ErrorKind::Capacity => FailureKind::Capacity,
        ErrorKind::Ambiguous => FailureKind::Unknown,
        ErrorKind::Quota
        | ErrorKind::Auth
        | ErrorKind::InvalidSpec { .. }
        | ErrorKind::NotFound
        | ErrorKind::Unsupported
        | ErrorKind::Internal => FailureKind::Lasting,
    }
}

/// Whether the same call will end the same way.
pub(super) fn lasting(error: &DriverError) -> bool {
    !matches!(error.kind, ErrorKind::Throttled { .. } | ErrorKind::Unavailable | ErrorKind::Ambiguous)
}
