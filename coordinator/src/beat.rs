//! "I am alive, and these are my agents": to the leader, many times within a lease. An answer renews the lease.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::agents::Registry;
use crate::context::Context;
use crate::liveness::Liveness;
use crate::owner::Ownership;
use crate::raft::Beat;

/// Often enough that a leader knows within a second who is there; a beat is about 16 bytes an agent.
const PERIOD: Duration = Duration::from_secs(1);
/// After a beat that a leader did not take: it may be a moment away from leading.
const AGAIN: Duration = Duration::from_millis(200);
/// Beats in one lease, at least: one that is lost costs no owner its lease.
const BEATS_PER_LEASE: u32 = 3;

pub(crate) async fn run(
    context: Context,
    registry: Arc<Registry>,
    liveness: Arc<Liveness>,
    ownership: Ownership,
    shutdown: CancellationToken,
) {
    let mut leadership = context.raft.leadership();
    let mut heard_in = 0;
    let period = PERIOD.min(ownership.lease.span() / BEATS_PER_LEASE);
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            // A new leader knows of nobody.
            changed = leadership.changed() => {
                if changed.is_err() {
                    return;
                }
                let now = *leadership.borrow_and_update();
                if now.leader.is_none() || now.term == heard_in {
                    continue;
                }
                ticks.reset();
            }
            () = shutdown.cancelled() => return,
        }
        let sent = ownership.lease.now();
        let beat = Beat { coordinator: context.id, process: ownership.process, agents: registry.digest() };
        tokio::select! {
            answer = context.raft.beat(beat) => match answer {
                Ok(answer) => {
                    ownership.lease.renew(sent);
                    liveness.told(answer.sightings);
                    heard_in = answer.term;
                }
                Err(error) => {
                    tracing::debug!(%error, "no leader heard the beat");
                    if leadership.borrow().leader.is_some() {
                        ticks.reset_after(AGAIN.min(period));
                    }
                }
            },
            () = shutdown.cancelled() => return,
        }
    }
}
