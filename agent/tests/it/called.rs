//! Where the agent reaches nobody, a coordinator dials it: the same enrolment and session, the other way round.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use skep_agent::{Called, MemoryStore, Proxy, ProxyLimits, ProxySettings};
use skep_tls::SESSION_PREFACE;
use skep_types::AgentConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::coordinator::{Cluster, Heard};
use crate::engine::FakeEngine;
use crate::{Agent, PATIENCE, config};

/// The agent's front door, and an address on which nobody answers its dialling.
struct Door {
    folder: tempfile::TempDir,
    address: String,
    shutdown: CancellationToken,
}

impl Door {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = ProxySettings {
            docker_socket: folder.path().join("docker.sock"),
            session_socket: Called::path(folder.path()),
            limits: ProxyLimits::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shutdown = CancellationToken::new();
        let proxy = Proxy::new(settings, Arc::new(MemoryStore::default()));
        tokio::spawn(proxy.run(listener, shutdown.clone()));
        Self { folder, address, shutdown }
    }

    /// What a coordinator does that cannot be dialled: it dials, and serves the connection like any other.
    async fn call(&self, coordinator: &str) {
        let mut there = TcpStream::connect(&self.address).await.unwrap();
        there.write_all(SESSION_PREFACE).await.unwrap();
        let mut here = TcpStream::connect(coordinator).await.unwrap();
        // It ends when either side has enough.
        let _ = copy_bidirectional(&mut there, &mut here).await;
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn unreachable(cluster: &Cluster) -> AgentConfig {
    AgentConfig { coordinators: vec!["127.0.0.1:1".to_owned()], ..config(cluster) }
}

#[tokio::test]
async fn an_agent_that_reaches_nobody_enrols_and_stays_with_who_calls() {
    let mut cluster = Cluster::start(1);
    let door = Door::open().await;
    let called = Called::listen(door.folder.path()).unwrap();
    let _agent = Agent::start_called(unreachable(&cluster), called);
    let coordinator = cluster.addresses().remove(0);
    // Nothing of the roster that a coordinator tells can be reached, either.
    cluster.tell(vec!["127.0.0.1:1".to_owned()]);
    let calling = tokio::spawn(async move {
        loop {
            door.call(&coordinator).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    cluster.hear(|heard| (*heard == Heard::Enrol(0)).then_some(())).await;
    let (_, hello) = cluster.hello().await;
    assert_eq!(hello.session_number, 1);
    calling.abort();
}

#[tokio::test]
async fn an_unknown_caller_learns_nothing_and_holds_nobody_up() {
    let mut cluster = Cluster::start(1);
    let door = Door::open().await;
    let called = Called::listen(door.folder.path()).unwrap();
    let mut stranger = UnixStream::connect(Called::path(door.folder.path())).await.unwrap();
    let _agent = Agent::start_called(config(&cluster), called);
    cluster.hello().await;
    // Too late, or not a coordinator: either way the connection ends.
    let mut said = Vec::new();
    let ended = timeout(PATIENCE, stranger.read_to_end(&mut said)).await;
    assert!(ended.is_ok(), "the stranger still waits");
}

#[tokio::test]
async fn what_is_neither_tls_nor_a_coordinator_is_cut_off() {
    let door = Door::open().await;
    let mut tcp = TcpStream::connect(&door.address).await.unwrap();
    tcp.write_all(b"skep-sessiom/1\n").await.unwrap();
    let mut said = Vec::new();
    let ended = timeout(PATIENCE, tcp.read_to_end(&mut said)).await.unwrap();
    assert!(ended.is_err() || said.is_empty());
}

impl Agent {
    fn start_called(config: AgentConfig, called: Called) -> Self {
        Self::start_parts(config, Arc::new(FakeEngine::default()), MemoryStore::default(), Some(called))
    }
}

#[test]
fn the_session_socket_stands_in_the_data_folder() {
    assert_eq!(Called::path(Path::new("/var/lib/skep")), Path::new("/var/lib/skep/session.sock"));
}
