//! Wakes sessions where the state changed, and ends them all where the state can no longer be trusted.

use std::sync::Arc;
use std::time::Duration;

use skep_types::HostId;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Registry;
use crate::context::Context;
use crate::raft::Dirty;

/// A coordinator without a leader for this long may be cut off: its agents do better elsewhere. Well above an election
/// (about half a second), so that a failover does not send every agent looking at once.
const ALONE: Duration = Duration::from_secs(3);

pub async fn run(context: Context, registry: Arc<Registry>, shutdown: CancellationToken) {
    let mut events = context.raft.subscribe_changes();
    let mut leadership = context.raft.leadership();
    let mut alone_since: Option<Instant> = None;
    loop {
        let leader = leadership.borrow_and_update().leader;
        alone_since = leader.is_none().then(|| alone_since.unwrap_or_else(Instant::now));
        let alone = alone_since.map_or_else(|| Instant::now() + ALONE, |since| since + ALONE);
        tokio::select! {
            dirty = events.changed() => look(&context, &registry, &dirty),
            changed = leadership.changed() => if changed.is_err() { return },
            () = tokio::time::sleep_until(alone), if alone_since.is_some() => {
                registry.close_all();
                alone_since = Some(Instant::now());
            }
            () = shutdown.cancelled() => {
                registry.close_all();
                return;
            }
        }
    }
}

fn look(context: &Context, registry: &Registry, dirty: &Dirty) {
    if dirty.everything || dirty.changes.cluster {
        registry.look_all();
        return;
    }
    let state = context.raft.state();
    let swarms = &dirty.changes.swarms;
    // Only those that have a permit wait for something in their swarm's record.
    let members = swarms.iter().flat_map(|swarm| state.members(*swarm)).filter(|host| host.permit.is_some());
    let members: Vec<HostId> = members.map(|host| host.id).collect();
    registry.look(dirty.changes.hosts.iter().chain(&members));
}
