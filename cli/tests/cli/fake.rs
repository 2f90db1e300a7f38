//! A cluster that remembers what it was asked and answers from what a test put into it.

mod cluster;
mod drivers;
mod events;
mod hosts;
mod operations;
mod swarms;
pub(crate) mod things;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Debug;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use hyper_util::rt::TokioIo;
use skep::Dial;
use skep_proto::v1::cluster_server::ClusterServer;
use skep_proto::v1::drivers_server::DriversServer;
use skep_proto::v1::events_server::EventsServer;
use skep_proto::v1::hosts_server::HostsServer;
use skep_proto::v1::operations_server::OperationsServer;
use skep_proto::v1::swarms_server::SwarmsServer;
use skep_proto::v1::{
    AddAccountRequest, BrokenDriver, ClusterStatus, Driver, Event, Host, Operation, Person, Swarm,
    TestAccountReply,
};
use tokio::io::DuplexStream;
use tonic::transport::server::Router;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Status};

/// One connection's worth of a watch.
#[derive(Debug, Clone)]
pub(crate) enum Reel<T> {
    /// These, then the end of the stream.
    Ends(Vec<T>),
    /// These, then the coordinator is gone.
    Breaks(Vec<T>),
    /// These, then silence.
    Hangs(Vec<T>),
}

#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) hosts: Vec<Host>,
    pub(crate) swarms: Vec<Swarm>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) people: Vec<Person>,
    pub(crate) drivers: Vec<Driver>,
    pub(crate) broken_drivers: Vec<BrokenDriver>,
    pub(crate) status: ClusterStatus,
    /// Of the last request that had some: they are nowhere else.
    pub(crate) credentials: BTreeMap<String, String>,
    /// The last one that was added.
    pub(crate) account: Option<AddAccountRequest>,
    pub(crate) tested: TestAccountReply,
    pub(crate) token: String,
    /// What mutations answer.
    pub(crate) answer: Operation,
    /// The connections of watches to come, in order.
    pub(crate) operation_reels: VecDeque<Reel<Operation>>,
    pub(crate) event_reels: VecDeque<Reel<Event>>,
    /// By method, such as "Hosts/Create": answered once each instead of what would be right.
    pub(crate) refusals: BTreeMap<&'static str, VecDeque<Status>>,
    /// Coordinators that cannot be dialled.
    pub(crate) down: BTreeSet<String>,
    pub(crate) issuer: Option<things::Authority>,
    /// "Hosts/Create CreateHostsRequest { … }", in order.
    pub(crate) asked: Vec<String>,
    /// The coordinators that were dialled, in order.
    pub(crate) dialled: Vec<String>,
    /// Told of each watch that is opened.
    pub(crate) watching: Option<tokio::sync::mpsc::UnboundedSender<()>>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Fake(Arc<Mutex<World>>);

impl Fake {
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// Records the call; Err is the refusal the test put there for it.
    fn heard<T: Debug>(&self, method: &'static str, request: Request<T>) -> Result<T, Status> {
        let request = request.into_inner();
        let mut world = self.world();
        world.asked.push(format!("{method} {request:?}"));
        match world.refusals.get_mut(method).and_then(VecDeque::pop_front) {
            Some(status) => Err(status),
            None => Ok(request),
        }
    }

    pub(crate) fn router(&self, mut server: Server) -> Router {
        server
            .add_service(HostsServer::new(self.clone()))
            .add_service(SwarmsServer::new(self.clone()))
            .add_service(OperationsServer::new(self.clone()))
            .add_service(EventsServer::new(self.clone()))
            .add_service(ClusterServer::new(self.clone()))
            .add_service(DriversServer::new(self.clone()))
    }

    /// Every coordinator is this one, through memory.
    pub(crate) fn dial(&self) -> Dial {
        let fake = self.clone();
        Arc::new(move |address| {
            let fake = fake.clone();
            Box::pin(async move {
                let connector = tower::service_fn(move |_| {
                    let answer = fake.connect(&address);
                    async move { answer.map(TokioIo::new) }
                });
                Endpoint::from_static("http://coordinator").connect_with_connector(connector).await
            })
        })
    }

    fn connect(&self, address: &str) -> io::Result<DuplexStream> {
        self.world().dialled.push(address.to_owned());
        if self.world().down.contains(address) {
            return Err(io::Error::new(io::ErrorKind::ConnectionRefused, format!("{address} refused")));
        }
        let (near, far) = tokio::io::duplex(64 * 1024);
        let incoming = tokio_stream::once(Ok::<_, io::Error>(far));
        tokio::spawn(self.router(Server::builder()).serve_with_incoming(incoming));
        Ok(near)
    }
}

/// The stream a reel unrolls to.
fn unroll<T: Send + 'static>(
    reel: Option<Reel<T>>,
) -> std::pin::Pin<Box<dyn futures::Stream<Item = Result<T, Status>> + Send>> {
    use futures::StreamExt;
    let Some(reel) = reel else { return Box::pin(futures::stream::pending()) };
    match reel {
        Reel::Ends(items) => Box::pin(futures::stream::iter(items.into_iter().map(Ok))),
        Reel::Breaks(items) => {
            Box::pin(futures::stream::iter(items.into_iter().map(Ok)).chain(futures::stream::once(async {
                Err(Status::unavailable("this coordinator is stopping"))
            })))
        }
        Reel::Hangs(items) => {
            Box::pin(futures::stream::iter(items.into_iter().map(Ok)).chain(futures::stream::pending()))
        }
    }
}
