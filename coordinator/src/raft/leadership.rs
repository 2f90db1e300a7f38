//! Who leads, as far as this coordinator can know.

use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use openraft::{Instant, RaftMetrics, ServerState};
use skep_types::CoordinatorId;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::network::Contact;
use super::types::{Raft, TypeConfig};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Leadership {
    /// None while nobody is known to lead: also on a follower that has not heard its leader for one election time-out,
    /// and on a leader that its followers have not heard for as long.
    pub leader: Option<CoordinatorId>,
    pub term: u64,
    /// This coordinator leads, and its state has all that was acknowledged before.
    pub leading: bool,
}

/// Keeps the watch current until raft stops. Silence is no event, so it also looks at every heartbeat's time.
pub(super) async fn watch(
    raft: Raft,
    contact: Contact,
    heartbeat: Duration,
    lease: Duration,
    leadership: watch::Sender<Leadership>,
) {
    let mut metrics = raft.metrics();
    let mut ticks = tokio::time::interval(heartbeat);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            changed = metrics.changed() => if changed.is_err() {
                leadership.send_replace(Leadership::default());
                return;
            },
            _ = ticks.tick() => {}
        }
        let now = judge(&metrics.borrow_watched(), contact.within(lease), lease);
        leadership.send_if_modified(|before| {
            let changed = *before != now;
            if changed {
                tracing::info!(leader = ?now.leader, term = now.term, leading = now.leading, "leadership changed");
            }
            *before = now;
            changed
        });
    }
}

fn judge(metrics: &RaftMetrics<TypeConfig>, heard: bool, lease: Duration) -> Leadership {
    let running = metrics.running_state.is_ok();
    let known = metrics.current_leader.map(CoordinatorId).filter(|_| running);
    let term = metrics.current_term;
    if metrics.state != ServerState::Leader {
        let leader = known.filter(|leader| heard && leader.0 != metrics.id);
        return Leadership { leader, term, leading: false };
    }
    let leader = known.filter(|_| has_quorum(metrics, lease));
    let applied = metrics
        .last_applied
        .is_some_and(|applied| applied.leader_id.term == term && applied.leader_id.node_id == metrics.id);
    Leadership { leader, term, leading: leader.is_some() && applied }
}

fn has_quorum(metrics: &RaftMetrics<TypeConfig>, lease: Duration) -> bool {
    let alone = metrics.membership_config.voter_ids().count() == 1;
    let acked = metrics.last_quorum_acked.as_ref().map(|acked| acked.into_inner().elapsed());
    alone || acked.is_some_and(|age| age <= lease)
}
