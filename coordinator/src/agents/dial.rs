//! Dials the agents that do not dial in, and has the connections served like those that came by themselves: the agent is
//! the TLS client whoever dialled, so that roles and checks are the same.
//!
//! ```text
//! silent hosts of our accounts ─► tries: who is due, by which ways ─► way: the docker port, directly ──────┐
//!       ▲ a host that still says nothing is tried again, later        └─► or through its driver's way in ──┴─► preface
//!       └──────────────────────────────────────────────────────────────────────────── served ◄────────────────────┘
//! ```

mod tries;
mod way;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use skep_core::plan::{View, reach};
use skep_core::state::Owner;
use skep_types::HostId;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::server::Link;
use tries::{Due, Silent, Tries};
use way::{Door, Unreached, Way};

/// Between looks for silent hosts.
const LOOK: Duration = Duration::from_secs(1);

/// What dialling needs to know of this process.
#[derive(Debug, Clone)]
pub(crate) struct Dialling {
    /// As it is registered.
    pub(crate) process: u64,
    /// How long agents are given to dial in by themselves.
    pub(crate) patience: Duration,
    /// Where connections are served.
    pub(crate) connections: mpsc::Sender<Link>,
}

type Ended = (HostId, Result<Way, Unreached>);

pub(crate) async fn run(context: Context, dialling: Dialling, shutdown: CancellationToken) {
    let mut tries = Tries::new(dialling.patience);
    let mut under_way: JoinSet<Ended> = JoinSet::new();
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = look.tick() => {}
            Some(done) = under_way.join_next(), if !under_way.is_empty() => {
                if let Ok(ended) = done {
                    note(&mut tries, ended);
                }
                continue;
            }
        }
        for (door, ways) in doors(&context, dialling.process, &mut tries) {
            let (context, connections) = (context.clone(), dialling.connections.clone());
            under_way.spawn(async move {
                let host = door.host;
                (host, whole(dial(&context, &door, ways, &connections)).await)
            });
        }
    }
}

/// The doors to knock at now.
fn doors(context: &Context, process: u64, tries: &mut Tries) -> Vec<(Door, &'static [Way])> {
    let state = context.raft.state();
    let view = View { state: &state, now: context.raft.now() };
    let mine = |owner: &Owner| owner.coordinator == context.id && owner.process == process;
    let known = |silent: reach::Silent<'_>| Silent {
        host: silent.host.id,
        silent_for: silent.silent_for,
        dialled_before: silent.dialled_before,
        tunnels: way::tunnels(&state, silent.host),
    };
    let silent: Vec<Silent> = reach::silent(&view, mine).map(known).collect();
    let due = tries.due(&silent, Instant::now());
    let door = |due: Due| Some((Door::of(state.host(due.host)?)?, due.ways));
    due.into_iter().filter_map(door).collect()
}

fn note(tries: &mut Tries, (host, ended): Ended) {
    let first = tries.is_first(host);
    match &ended {
        Ok(way) => tracing::debug!(%host, ?way, "dialled an agent that does not dial in"),
        // Once, for whoever wonders why a host does not come; the others would say the same.
        Err(error) if first => {
            tracing::info!(%host, error = %skep_types::chain(error), "an agent that does not dial in was not reached");
        }
        Err(error) => tracing::debug!(%host, error = %skep_types::chain(error), "an agent was not reached"),
    }
    tries.ended(host, ended.ok(), Instant::now());
}

/// Also one that panics has ended: its host would be under way for ever.
async fn whole(dial: impl Future<Output = Result<Way, Unreached>>) -> Result<Way, Unreached> {
    // Nothing that it has changed is looked at again.
    AssertUnwindSafe(dial).catch_unwind().await.unwrap_or(Err(Unreached::Panicked))
}

/// By which way a connection was made and handed to be served.
async fn dial(
    context: &Context,
    door: &Door,
    ways: &[Way],
    connections: &mpsc::Sender<Link>,
) -> Result<Way, Unreached> {
    let (way, link) = way::open(context, door, ways).await?;
    connections.send(link).await.map_err(|_| Unreached::Stopped)?;
    Ok(way)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dial_that_panics_has_ended() {
        let ended = whole(async { panic!("a driver's answer is not what it should be") }).await;
        assert!(matches!(ended, Err(Unreached::Panicked)), "{ended:?}");
    }
}
