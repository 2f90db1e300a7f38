//! Dials the agents that do not dial in, and has the connections served like those that came by themselves: the agent is
//! the TLS client either way, so that roles and checks are the same.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use skep_core::plan::{View, reach};
use skep_core::state::{Host, Owner};
use skep_tls::SESSION_PREFACE;
use skep_types::{AgentConfig, HostId};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::context::Context;

/// Between looks for silent hosts.
const LOOK: Duration = Duration::from_secs(1);
/// One address of a host. It answers at once, or is not there.
const CONNECT: Duration = Duration::from_secs(3);
/// Hosts dialled at once.
const DIALLED_AT_ONCE: usize = 64;
/// After a connection that was made: an agent that enrolled over it needs a second one, for its session.
const AGAIN: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// What dialling needs to know of this process.
#[derive(Debug, Clone)]
pub(crate) struct Dialling {
    /// As it is registered.
    pub(crate) process: u64,
    /// How long agents are given to dial in by themselves.
    pub(crate) patience: Duration,
    /// Where connections are served.
    pub(crate) connections: mpsc::Sender<TcpStream>,
}

pub(crate) async fn run(context: Context, dialling: Dialling, shutdown: CancellationToken) {
    let mut tries = Tries::default();
    let mut under_way = JoinSet::new();
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = look.tick() => {}
            Some(done) = under_way.join_next(), if !under_way.is_empty() => {
                if let Ok((host, connected)) = done {
                    tries.ended(host, connected);
                }
                continue;
            }
        }
        for (host, addresses) in tries.due(&context, &dialling, under_way.len()) {
            let connections = dialling.connections.clone();
            under_way.spawn(async move { (host, dial(host, addresses, &connections).await) });
        }
    }
}

/// The silent hosts, and when each is tried again. Bounded by the hosts there are.
#[derive(Debug, Default)]
struct Tries(BTreeMap<HostId, Try>);

#[derive(Debug, Clone, Copy)]
struct Try {
    next: Instant,
    pause: Duration,
    under_way: bool,
    /// A connection was made before: this one does not dial in.
    answered: bool,
}

impl Tries {
    fn due(
        &mut self,
        context: &Context,
        dialling: &Dialling,
        under_way: usize,
    ) -> Vec<(HostId, Vec<IpAddr>)> {
        let (state, now) = (context.raft.state(), Instant::now());
        let view = View { state: &state, now: context.raft.now() };
        let mine = |owner: &Owner| owner.coordinator == context.id && owner.process == dialling.process;
        self.0.retain(|host, _| state.host(*host).is_some());
        let room = DIALLED_AT_ONCE.saturating_sub(under_way);
        let mut due = Vec::new();
        for (host, since) in reach::silent(&view, mine) {
            let known = self.0.get(&host.id).copied();
            let patient = known.is_none_or(|known| !known.answered);
            if patient && view.now.since(since) < dialling.patience {
                continue;
            }
            let known = known.unwrap_or(Try { next: now, pause: AGAIN, under_way: false, answered: false });
            if known.under_way || known.next > now || due.len() >= room {
                continue;
            }
            self.0.insert(host.id, Try { under_way: true, ..known });
            due.push((host.id, addresses(host)));
        }
        due
    }

    fn ended(&mut self, host: HostId, connected: bool) {
        let Some(known) = self.0.get_mut(&host) else { return };
        known.under_way = false;
        known.answered |= connected;
        known.pause = if connected { AGAIN } else { (known.pause * 2).min(BACKOFF_MAX) };
        known.next = Instant::now() + known.pause;
    }
}

fn addresses(host: &Host) -> Vec<IpAddr> {
    let instance = host.instance.as_ref();
    let mut addresses: Vec<IpAddr> = instance
        .into_iter()
        .flat_map(|instance| [instance.private_address, instance.public_address])
        .flatten()
        .collect();
    addresses.dedup();
    addresses
}

/// Whether a connection was made and handed to be served.
async fn dial(host: HostId, addresses: Vec<IpAddr>, connections: &mpsc::Sender<TcpStream>) -> bool {
    for address in addresses {
        let address = SocketAddr::new(address, AgentConfig::default_docker_port());
        match timeout(CONNECT, preface(address)).await {
            Ok(Ok(tcp)) => {
                tracing::debug!(%host, %address, "dialled an agent that does not dial in");
                return connections.send(tcp).await.is_ok();
            }
            Ok(Err(error)) => tracing::debug!(%host, %address, %error, "an agent was not reached"),
            Err(_) => tracing::debug!(%host, %address, "an agent's address does not answer"),
        }
    }
    false
}

async fn preface(address: SocketAddr) -> std::io::Result<TcpStream> {
    let mut tcp = TcpStream::connect(address).await?;
    tcp.write_all(SESSION_PREFACE).await?;
    Ok(tcp)
}
