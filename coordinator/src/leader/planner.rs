//! The planning loop: looks where something changed, proposes what the planners say, and looks again.
//!
//! It keeps nothing but when to wake: a new leader begins with everything, and every leader looks at everything now and
//! then, which finds what an event missed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use skep_core::command::{Command, Reply};
use skep_core::plan::{Plan, View};
use skep_types::{ClusterTime, HostId, limits};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::freeze::{self, AgentSource};
use crate::context::Context;
use crate::raft::Dirty;

/// A look at everything. Costs microseconds a host, and no message waits for it.
const FULL_PASS: Duration = Duration::from_secs(10);
/// After a proposal that failed, before the same is planned again.
const PAUSE: Duration = Duration::from_millis(200);
/// Proposals under way at once: each is an entry of up to [`limits::COMMANDS_PER_ENTRY`] commands.
const PROPOSALS: usize = 8;

pub(super) async fn run(context: Context, agent: AgentSource, stop: CancellationToken) {
    let mut events = context.raft.subscribe_changes();
    let mut wakes = Wakes::default();
    let mut full_pass = Instant::now();
    let mut dirty = Dirty::default();
    loop {
        let state = context.raft.state();
        let view = View { state: &state, now: context.raft.now() };
        if dirty.everything || Instant::now() >= full_pass {
            dirty = Dirty { everything: false, changes: view.everything() };
            full_pass = Instant::now() + FULL_PASS;
        }
        dirty.changes.hosts.append(&mut wakes.due(view.now));
        let plan = view.plan(&dirty.changes);
        wakes.add(&plan);
        let idle = plan.commands.is_empty() && plan.wishes.is_empty();
        let proposed = idle || propose(&context, &agent, plan).await;
        if !proposed {
            // Whatever was lost is in `dirty` still.
            tokio::select! { () = tokio::time::sleep(PAUSE) => continue, () = stop.cancelled() => return }
        }
        let wake = wakes.next(&context).unwrap_or(full_pass).min(full_pass);
        dirty = tokio::select! {
            dirty = events.changed() => dirty,
            () = sleep_until(wake) => Dirty::default(),
            () = stop.cancelled() => return,
        };
    }
}

/// Whether everything was committed. Guards make it harmless to propose the same again.
async fn propose(context: &Context, agent: &AgentSource, plan: Plan) -> bool {
    let mut commands: Vec<Command> = plan.commands.into_iter().map(Command::Plan).collect();
    for wish in plan.wishes {
        match freeze::open_intent(context, agent, wish) {
            Ok(command) => commands.push(Command::Plan(command)),
            Err(error) => tracing::error!(%error, "an intent's secrets cannot be made"),
        }
    }
    let chunks: Vec<Vec<Command>> = commands.chunks(limits::COMMANDS_PER_ENTRY).map(<[_]>::to_vec).collect();
    for some in chunks.chunks(PROPOSALS) {
        let proposals = some.iter().cloned().map(|chunk| context.raft.propose(chunk));
        for outcome in futures::future::join_all(proposals).await {
            match outcome {
                Ok(replies) => log_stale(&replies),
                Err(error) => {
                    tracing::debug!(%error, "a plan was not committed");
                    return false;
                }
            }
        }
    }
    true
}

fn log_stale(replies: &[Reply]) {
    let stale = replies.iter().filter(|reply| matches!(reply, Reply::Unchanged(_))).count();
    if stale > 0 {
        tracing::debug!(stale, "planned on a state that has changed since");
    }
}

/// When to look at hosts again though nothing changed. At most one entry per host and time, dropped as they come due.
#[derive(Debug, Default)]
struct Wakes(BTreeMap<ClusterTime, BTreeSet<HostId>>);

impl Wakes {
    fn add(&mut self, plan: &Plan) {
        for (at, host) in &plan.wake {
            self.0.entry(*at).or_default().insert(*host);
        }
    }

    fn due(&mut self, now: ClusterTime) -> BTreeSet<HostId> {
        let later = self.0.split_off(&ClusterTime(now.0 + 1));
        std::mem::replace(&mut self.0, later).into_values().flatten().collect()
    }

    fn next(&self, context: &Context) -> Option<Instant> {
        let (at, _) = self.0.first_key_value()?;
        Some(Instant::now() + at.since(context.raft.now()))
    }
}
