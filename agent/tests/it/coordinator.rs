//! Coordinators that agree on everything because they share it, and tell what they hear.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use skep_proto::agent as pb;
use skep_proto::agent::agent_message::Message;
use skep_proto::agent::coordinator_message::Message as ToAgent;
use skep_proto::agent::enrolment_server::{Enrolment, EnrolmentServer};
use skep_proto::agent::session_server::{Session, SessionServer};
use skep_tls::{ALPN_CONTROL, COORDINATOR_NAME, Clients, ServerTls, public_key_of_request};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use crate::PATIENCE;
use crate::authority::Authority;

pub(crate) const TOKEN: &str = "token";

/// What a coordinator heard, and which.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    Enrol(usize),
    Renew(usize),
    Message(usize, Box<Message>),
}

impl Heard {
    pub(crate) fn message(&self) -> Option<(usize, &Message)> {
        match self {
            Self::Message(which, message) => Some((*which, message)),
            Self::Enrol(_) | Self::Renew(_) => None,
        }
    }
}

pub(crate) struct Cluster {
    pub(crate) control: Arc<Authority>,
    state: Arc<State>,
    coordinators: Vec<Coordinator>,
    heard: mpsc::UnboundedReceiver<Heard>,
}

struct Coordinator {
    address: SocketAddr,
    /// Taken when it is killed: with its runtime go its sockets, as with a process.
    runtime: Option<Runtime>,
}

struct State {
    control: Arc<Authority>,
    docker: Authority,
    addresses: Mutex<Vec<String>>,
    behaviour: Mutex<Behaviour>,
    streams: Mutex<Vec<mpsc::Sender<Result<pb::CoordinatorMessage, Status>>>>,
    heard: mpsc::UnboundedSender<Heard>,
}

/// What every coordinator does from now on.
#[derive(Clone)]
pub(crate) struct Behaviour {
    pub(crate) refuse_enrolment: bool,
    pub(crate) refuse_session: bool,
    pub(crate) renew_after: Duration,
    /// Of the host: told in each Welcome, and certified.
    pub(crate) host_addresses: Vec<String>,
    /// Sent after each Welcome.
    pub(crate) assignment: Option<pb::Assignment>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            refuse_enrolment: false,
            refuse_session: false,
            renew_after: Duration::from_secs(3600),
            host_addresses: Vec::new(),
            assignment: None,
        }
    }
}

impl State {
    fn welcome(&self) -> pb::Welcome {
        let addresses = self.behaviour.lock().unwrap().host_addresses.clone();
        let coordinators = self.addresses.lock().unwrap().clone();
        pb::Welcome { heartbeat_ms: 100, coordinators, addresses }
    }
}

impl Cluster {
    pub(crate) fn start(coordinators: usize) -> Self {
        let (said, heard) = mpsc::unbounded_channel();
        let control = Arc::new(Authority::new("control"));
        let state = Arc::new(State {
            control: control.clone(),
            docker: Authority::new("docker"),
            addresses: Mutex::default(),
            behaviour: Mutex::default(),
            streams: Mutex::default(),
            heard: said,
        });
        let coordinators: Vec<_> = (0..coordinators).map(|which| Coordinator::start(&state, which)).collect();
        *state.addresses.lock().unwrap() =
            coordinators.iter().map(|coordinator| coordinator.address.to_string()).collect();
        Self { control, state, coordinators, heard }
    }

    pub(crate) fn addresses(&self) -> Vec<String> {
        self.state.addresses.lock().unwrap().clone()
    }

    /// Other addresses than those it has, in every Welcome from now on.
    pub(crate) fn tell(&self, addresses: Vec<String>) {
        *self.state.addresses.lock().unwrap() = addresses;
    }

    pub(crate) fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.state.behaviour.lock().unwrap());
    }

    /// The next thing heard that `wanted` wants, passing over the rest.
    pub(crate) async fn hear<T>(&mut self, mut wanted: impl FnMut(&Heard) -> Option<T>) -> T {
        let search = async {
            loop {
                if let Some(found) = wanted(&self.heard.recv().await.unwrap()) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, search).await.unwrap()
    }

    pub(crate) async fn hello(&mut self) -> (usize, pb::Hello) {
        self.hear(|heard| match heard.message()? {
            (which, Message::Hello(hello)) => Some((which, hello.clone())),
            _ => None,
        })
        .await
    }

    pub(crate) async fn outcome(&mut self) -> pb::PermitOutcome {
        self.hear(|heard| match heard.message()? {
            (_, Message::Outcome(outcome)) => Some(outcome.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) fn heard_nothing_at_all(&mut self) -> bool {
        self.heard.try_recv().is_err()
    }

    /// On every open stream.
    pub(crate) fn send(&self, message: ToAgent) {
        for stream in self.state.streams.lock().unwrap().iter() {
            let message = pb::CoordinatorMessage { message: Some(message.clone()) };
            // A stream of a session that ended is closed.
            let _ = stream.try_send(Ok(message));
        }
    }

    /// Again, on every open stream, as things are now.
    pub(crate) fn welcome(&self) {
        self.send(ToAgent::Welcome(self.state.welcome()));
    }

    pub(crate) fn end_streams(&self) {
        self.state.streams.lock().unwrap().clear();
    }

    pub(crate) fn kill(&mut self, which: usize) {
        self.coordinators[which].kill();
    }
}

impl Coordinator {
    fn start(state: &Arc<State>, which: usize) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(serve(state.clone(), which, listener));
        Self { address, runtime: Some(runtime) }
    }

    fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Coordinator {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn serve(state: Arc<State>, which: usize, listener: std::net::TcpListener) {
    let listener = TcpListener::from_std(listener).unwrap();
    let tls = ServerTls::new(&state.control.root_pem(), &state.control.swap(COORDINATOR_NAME), ALPN_CONTROL)
        .clients(Clients::AnybodyAndExpired)
        .build()
        .unwrap();
    let (ready, connections) = mpsc::channel::<std::io::Result<TlsStream<TcpStream>>>(8);
    let service = Service { state, which };
    let server = Server::builder()
        .add_service(EnrolmentServer::new(service.clone()))
        .add_service(SessionServer::new(service))
        .serve_with_incoming(ReceiverStream::new(connections));
    tokio::spawn(server);
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        let (acceptor, ready) = (TlsAcceptor::from(tls.clone()), ready.clone());
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(tcp).await {
                let _ = ready.send(Ok(stream)).await;
            }
        });
    }
}

#[derive(Clone)]
struct Service {
    state: Arc<State>,
    which: usize,
}

impl Service {
    fn behaviour(&self) -> Behaviour {
        self.state.behaviour.lock().unwrap().clone()
    }

    fn identity(&self, signing_request: &[u8]) -> pb::Identity {
        let key = public_key_of_request(signing_request).unwrap();
        pb::Identity {
            host_id: "h1-1".to_owned(),
            certificate: self.state.control.certify(&key, "host.skep"),
            docker_certificate: self.state.docker.certify(&key, "localhost"),
            docker_client_ca: self.state.docker.root_pem(),
            docker_denied_serials: Vec::new(),
            addresses: self.behaviour().host_addresses,
            renew_after_ms: self.behaviour().renew_after.as_millis().try_into().unwrap(),
        }
    }
}

#[tonic::async_trait]
impl Enrolment for Service {
    async fn enrol(&self, request: Request<pb::EnrolRequest>) -> Result<Response<pb::Identity>, Status> {
        let _ = self.state.heard.send(Heard::Enrol(self.which));
        let request = request.into_inner();
        if self.behaviour().refuse_enrolment || request.token != TOKEN || request.subject != "h1-1" {
            return Err(Status::permission_denied("the token is not for this host"));
        }
        Ok(Response::new(self.identity(&request.signing_request)))
    }

    async fn renew(&self, request: Request<pb::RenewRequest>) -> Result<Response<pb::Identity>, Status> {
        let _ = self.state.heard.send(Heard::Renew(self.which));
        if request.peer_certs().is_none() {
            return Err(Status::unauthenticated("no certificate"));
        }
        self.behave(|behaviour| behaviour.refuse_session = false);
        Ok(Response::new(self.identity(&request.into_inner().signing_request)))
    }
}

impl Service {
    fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.state.behaviour.lock().unwrap());
    }
}

#[tonic::async_trait]
impl Session for Service {
    type OpenStream = ReceiverStream<Result<pb::CoordinatorMessage, Status>>;

    async fn open(
        &self,
        request: Request<Streaming<pb::AgentMessage>>,
    ) -> Result<Response<Self::OpenStream>, Status> {
        if request.peer_certs().is_none() || self.behaviour().refuse_session {
            return Err(Status::unauthenticated("no valid certificate"));
        }
        let (send, messages) = mpsc::channel(16);
        let welcome = self.state.welcome();
        let assignment = self.behaviour().assignment.map(ToAgent::Assignment);
        for message in [Some(ToAgent::Welcome(welcome)), assignment].into_iter().flatten() {
            send.try_send(Ok(pb::CoordinatorMessage { message: Some(message) })).unwrap();
        }
        self.state.streams.lock().unwrap().push(send);
        tokio::spawn(listen(self.clone(), request.into_inner()));
        Ok(Response::new(ReceiverStream::new(messages)))
    }
}

async fn listen(service: Service, mut inbound: Streaming<pb::AgentMessage>) {
    let mut last = 0;
    while let Ok(Some(message)) = inbound.message().await {
        assert!(message.sequence > last, "sequence {} after {last}", message.sequence);
        last = message.sequence;
        let _ = service.state.heard.send(Heard::Message(service.which, Box::new(message.message.unwrap())));
    }
}
