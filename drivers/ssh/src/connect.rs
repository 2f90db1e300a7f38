//! Makes a [`Connection`]: dials the first hop, then each next one through the hop before it.
//!
//! ```text
//! TCP ─► handshake, host key ─► log in ─► direct-tcpip ─► handshake, host key ─► log in ─► …
//! ```
//! Each step has its own deadline. Nothing is remembered between two connections.

mod dial;
mod handler;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use russh::client::{self, Config, Handle};
use russh::{Preferred, compression};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

pub(crate) use handler::{Client, Notes, protocol};

use crate::authenticate::log_in;
use crate::connection::Link;
use crate::route::JUMPS_MAX;
use crate::{Connection, Deadlines, Error, Hop, Kind, Route, SeenKey, forward};

/// A peer that says nothing for so long, four times, is gone.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_MISSED_MAX: usize = 3;
/// An SSH server takes few connections that have not logged in yet and drops some of the others (MaxStartups), before
/// a word is said. Many hosts behind one jump host, or many coordinators at one host, meet that.
const DROPPED_MAX: u32 = 4;
const DROPPED_PAUSE: Duration = Duration::from_millis(300);

/// Goes the whole way, or says at which hop and why not.
pub async fn connect(route: &Route) -> Result<Connection, Error> {
    if route.jumps.len() > JUMPS_MAX {
        let why = format!("{} jump hosts are more than {JUMPS_MAX}", route.jumps.len());
        return Err(Kind::Protocol { address: route.target.to_string(), why }.into());
    }
    let mut dropped = 0;
    loop {
        match Box::pin(walk(route)).await {
            Err(Error { kind: Kind::Dropped { address, doing: HANDSHAKE, .. }, .. })
                if dropped < DROPPED_MAX =>
            {
                dropped += 1;
                tracing::debug!(%address, dropped, "dropped before a word was said; trying again");
                tokio::time::sleep(DROPPED_PAUSE * dropped).await;
            }
            result => return result,
        }
    }
}

pub(crate) const HANDSHAKE: &str = "agreeing on keys";

async fn walk(route: &Route) -> Result<Connection, Error> {
    let mut links: Vec<Link> = Vec::with_capacity(route.jumps.len() + 1);
    let mut peer = None;
    for hop in route.jumps.iter().chain([&route.target]) {
        let link = match links.last() {
            None => {
                let stream = dial::dial(hop, route.deadlines.connect).await?;
                peer = stream.peer_addr().ok().map(|address| address.ip().to_canonical());
                greet(hop, stream, &route.deadlines).await?
            }
            Some(before) => {
                peer = hop.host.parse::<IpAddr>().ok();
                let stream = forward::through(before, &hop.host, hop.port, route.deadlines.connect).await?;
                greet(hop, stream, &route.deadlines).await?
            }
        };
        links.push(link);
    }
    let Some(target) = links.pop() else {
        return Err(Kind::Unexpected { address: route.target.to_string(), what: "the route" }.into());
    };
    Ok(Connection::new(target, links, peer, route.target.login.sudo_password.clone()))
}

/// Handshake and login with one hop.
async fn greet<S>(hop: &Hop, stream: S, deadlines: &Deadlines) -> Result<Link, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let address = hop.to_string();
    let notes = Notes::default();
    let client = Client::new(hop, notes.clone());
    let handshake = client::connect_stream(Arc::new(config(hop)), stream, client);
    let late = || Kind::TimedOut { address: address.clone(), doing: HANDSHAKE, after: deadlines.handshake };
    let mut handle: Handle<Client> = match timeout(deadlines.handshake, Box::pin(handshake)).await {
        Err(_) => return Err(late().into()),
        Ok(Err(refusal)) => return Err(refusal.explain(hop, HANDSHAKE, &notes)),
        Ok(Ok(handle)) => handle,
    };
    let seen: SeenKey = notes
        .seen_key()
        .ok_or_else(|| Error::from(Kind::Unexpected { address: address.clone(), what: "the handshake" }))?;
    let late = || Kind::TimedOut { address: address.clone(), doing: "logging in", after: deadlines.login };
    match timeout(deadlines.login, Box::pin(log_in(&mut handle, hop, &notes))).await {
        Err(_) => return Err(late().into()),
        Ok(result) => result?,
    }
    Ok(Link { handle, address, user: hop.login.user.clone(), seen, notes })
}

fn config(hop: &Hop) -> Config {
    let preferred = Preferred {
        key: hop.keys.algorithms(&hop.host, hop.port, hop.rsa).into(),
        host_key_certificates: hop.keys.certificates(&hop.host, hop.port, hop.rsa).into(),
        // What is sent is small, or compressed badly: cheaper as it is.
        compression: vec![compression::NONE].into(),
        ..Preferred::default()
    };
    Config {
        preferred,
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: KEEPALIVE_MISSED_MAX,
        nodelay: true,
        ..Config::default()
    }
}
