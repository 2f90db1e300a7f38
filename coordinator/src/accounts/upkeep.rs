//! Keeps what is open here as the accounts' records say. A driver's program runs, and holds its account's credentials, for as
//! long as it is open.
//!
//! ```text
//! an account is removed ─────────────► closed at once
//! no shard of it is owned here ──────► closed when nobody has used it for a while: enrolments, `explain` and tests of an
//!                                      account open it on any coordinator
//! owned here ────────────────────────► stays open; calls that wait are under the limits as they are now
//! ```

use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Accounts;
use crate::context::Context;

/// Long beside what it takes to open a driver, and short beside the life of a secret.
pub(super) const IDLE: Duration = Duration::from_secs(600);
/// Between two looks for idle ones.
const LOOK: Duration = Duration::from_secs(60);

pub(crate) async fn run(context: Context, shutdown: CancellationToken) {
    let mut events = context.raft.subscribe_changes();
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            dirty = events.changed() => if !dirty.everything && dirty.changes.accounts.is_empty() { continue },
            _ = look.tick() => {}
            () = shutdown.cancelled() => return,
        }
        context.accounts.keep_up();
    }
}

impl Accounts {
    /// A call that is under way has its driver until it ends.
    pub(super) fn keep_up(&self) {
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|name, used| {
            let Some(account) = (self.means.records)(name) else {
                tracing::info!(account = %name, "account closed: it was removed");
                return false;
            };
            if account.share(self.means.id).shards.is_empty() {
                // What its bounds have counted stays: it may come back.
                used.opening.close_if_idle(IDLE);
            } else {
                used.bounds.follow(&account, &self.means);
            }
            true
        });
    }
}
