//! The ways to an agent that does not dial in: to the docker port of its host's addresses, or to the same port through
//! whatever its driver came in by.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use skep_core::State;
use skep_core::state::{Host, Instance};
use skep_driver::{DriverError, Tunnel};
use skep_tls::SESSION_PREFACE;
use skep_types::{AccountName, AgentConfig, HostId};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::context::Context;
use crate::kept;
use crate::server::Link;

/// One address of a host. It answers at once, or is not there.
const CONNECT: Duration = Duration::from_secs(3);
/// A login and what stands before it: seconds at a busy machine, and for each hop on the way.
const TUNNEL: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Direct,
    Tunnel,
}

impl Way {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Direct => Self::Tunnel,
            Self::Tunnel => Self::Direct,
        }
    }
}

/// Where one host's agent is to be found.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) host: HostId,
    account: AccountName,
    instance: Instance,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Unreached {
    #[error("nobody knows where it is")]
    Nowhere,
    #[error("{0} does not answer")]
    Silent(SocketAddr),
    #[error("{0} is not to be reached")]
    Address(SocketAddr, #[source] io::Error),
    #[error("its driver's way in did not lead there within {} s", TUNNEL.as_secs())]
    Late,
    #[error("its driver's way in did not lead there")]
    Driver(#[source] DriverError),
    #[error("its driver's way in broke off")]
    Broken(#[source] io::Error),
    #[error("this coordinator stops")]
    Stopped,
    #[error("dialling it panicked")]
    Panicked,
}

/// Whether the host's driver has a way in.
pub(super) fn tunnels(state: &State, host: &Host) -> bool {
    state.accounts.get(&host.template.account).is_some_and(|account| account.driver.tunnels)
}

impl Door {
    pub(super) fn of(host: &Host) -> Option<Self> {
        let (account, instance) = (host.template.account.clone(), host.instance.clone()?);
        Some(Self { host: host.id, account, instance })
    }

    /// From near to far.
    fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        let Instance { private_address, public_address, .. } = self.instance;
        let far = public_address.filter(|public| Some(*public) != private_address);
        private_address.into_iter().chain(far).map(at_docker_port)
    }

    /// As enrolment has to see whoever is at the end of a tunnel: the driver has made sure that it is this instance.
    fn itself(&self) -> Option<SocketAddr> {
        self.instance.address().map(at_docker_port)
    }
}

fn at_docker_port(address: IpAddr) -> SocketAddr {
    SocketAddr::new(address, AgentConfig::default_docker_port())
}

/// By the first way that leads there, with the preface said. The last way's failure, if none does.
pub(super) async fn open(context: &Context, door: &Door, ways: &[Way]) -> Result<(Way, Link), Unreached> {
    let mut failure = Unreached::Nowhere;
    for way in ways {
        let opened = match way {
            Way::Direct => direct(door).await,
            Way::Tunnel => tunnel(context, door).await,
        };
        match opened {
            Ok(link) => return Ok((*way, link)),
            Err(error) => {
                let told = skep_types::chain(&error);
                tracing::debug!(host = %door.host, ?way, error = told, "this way leads nowhere");
                failure = error;
            }
        }
    }
    Err(failure)
}

async fn direct(door: &Door) -> Result<Link, Unreached> {
    let mut failure = Unreached::Nowhere;
    for address in door.addresses() {
        match timeout(CONNECT, connect(address)).await {
            Ok(Ok(tcp)) => return Ok(Link::dialled(tcp, address)),
            Ok(Err(error)) => failure = Unreached::Address(address, error),
            Err(_) => failure = Unreached::Silent(address),
        }
    }
    Err(failure)
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let mut tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    say_preface(&mut tcp).await?;
    Ok(tcp)
}

/// Nobody but its account's owner looks for a silent host, and a tunnel changes nothing: it needs neither turn nor lease.
async fn tunnel(context: &Context, door: &Door) -> Result<Link, Unreached> {
    let peer = door.itself().ok_or(Unreached::Nowhere)?;
    let opened = async {
        let mut stream = through(context, door).await.map_err(Unreached::Driver)?.into_inner();
        say_preface(&mut stream).await.map_err(Unreached::Broken)?;
        Ok(Link::dialled(stream, peer))
    };
    timeout(TUNNEL, opened).await.unwrap_or(Err(Unreached::Late))
}

async fn through(context: &Context, door: &Door) -> Result<Tunnel, DriverError> {
    let driver = context.accounts.looking(&door.account)?;
    let target = kept::target(&context.trust.sealer, &door.instance);
    driver.tunnel(context.cluster.as_str(), &target, AgentConfig::default_docker_port()).await
}

async fn say_preface(stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    stream.write_all(SESSION_PREFACE).await?;
    stream.flush().await
}
