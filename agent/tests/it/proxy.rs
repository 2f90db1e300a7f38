//! The Docker front door, before an engine that answers when its input ended.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde_json::json;
use skep_agent::{MemoryStore, Proxy, ProxyLimits, ProxySettings, Record, Store};
use skep_tls::{ALPN_DOCKER, ALPN_GRPC, Key, ServerTrust, Swap, client_config};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::PATIENCE;
use crate::authority::Authority;

struct Door {
    address: SocketAddr,
    docker: Authority,
    key: Key,
    store: MemoryStore,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
    _folder: TempDir,
}

impl Door {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let docker_socket = folder.path().join("docker.sock");
        tokio::spawn(engine(UnixListener::bind(&docker_socket).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (store, shutdown) = (MemoryStore::default(), CancellationToken::new());
        let limits = ProxyLimits { reread: Duration::from_millis(20), ..ProxyLimits::default() };
        let session_socket = folder.path().join("session.sock");
        let settings = ProxySettings { docker_socket, session_socket, limits };
        let proxy = Proxy::new(settings, Arc::new(store.clone()));
        let door = Self {
            address,
            docker: Authority::new("docker"),
            key: Key::generate().unwrap(),
            store,
            shutdown: shutdown.clone(),
            task: tokio::spawn(proxy.run(listener, shutdown)),
            _folder: folder,
        };
        door.store.write(Record::Key, door.key.to_pem().unwrap().as_bytes().to_vec()).await.unwrap();
        door.record(&door.docker, &[]).await;
        door
    }

    /// What the agent writes after an enrolment or renewal.
    async fn record(&self, client_ca: &Authority, denied: &[&str]) {
        let record = json!({
            "host_id": "h1-1",
            "certificate": "",
            "docker_certificate": self.docker.certify(self.key.public(), "localhost"),
            "docker_client_ca": client_ca.root_pem(),
            "docker_denied_serials": denied,
            "renewal": { "boot_id": "", "at_uptime_ms": 0 },
        });
        self.store.write(Record::Identity, record.to_string().into_bytes()).await.unwrap();
    }

    fn client(&self, certificate: &Swap, alpn: &[&[u8]]) -> Arc<ClientConfig> {
        client_config(ServerTrust::Roots(&self.docker.root_pem()), certificate, alpn).unwrap()
    }

    async fn connect(&self, config: Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(self.address).await?;
        TlsConnector::from(config).connect(ServerName::try_from("localhost").unwrap(), tcp).await
    }

    /// TLS 1.3 tells a client that it is refused only when it reads.
    async fn asked(&self, config: Arc<ClientConfig>) -> std::io::Result<String> {
        let exchange = async {
            let mut stream = self.connect(config).await?;
            stream.write_all(b"question").await?;
            stream.shutdown().await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok(answer)
        };
        timeout(PATIENCE, exchange).await.unwrap()
    }

    /// Until the door has read its record again.
    async fn until_refused(&self, config: &Arc<ClientConfig>) {
        let search =
            async { while self.asked(config.clone()).await.is_ok_and(|answer| !answer.is_empty()) {} };
        timeout(PATIENCE, search).await.unwrap();
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Repeats what it heard, once its input ended; a hijacked connection with `cat` behind it.
async fn engine(listener: UnixListener) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).await.unwrap();
            stream.write_all(b"heard ").await.unwrap();
            stream.write_all(&heard).await.unwrap();
        });
    }
}

#[tokio::test]
async fn the_answer_comes_after_the_question_ended() {
    let door = Door::open().await;
    let config = door.client(&door.docker.swap("person"), ALPN_DOCKER);
    assert_eq!(door.asked(config).await.unwrap(), "heard question");
}

#[tokio::test]
async fn a_client_that_speaks_only_http2_is_refused() {
    let door = Door::open().await;
    let config = door.client(&door.docker.swap("person"), ALPN_GRPC);
    assert!(door.connect(config).await.is_err());
}

#[tokio::test]
async fn a_client_of_another_authority_or_of_none_is_refused() {
    let door = Door::open().await;
    let stranger = Authority::new("docker").swap("person");
    for certificate in [stranger, Swap::empty()] {
        assert!(door.asked(door.client(&certificate, ALPN_DOCKER)).await.is_err());
    }
}

#[tokio::test]
async fn a_denied_certificate_is_refused_from_then_on_and_others_are_not() {
    let door = Door::open().await;
    let denied = door.docker.swap("dismissed");
    let serial = denied.get().unwrap().leaf().serial.clone();
    let config = door.client(&denied, ALPN_DOCKER);
    assert_eq!(door.asked(config.clone()).await.unwrap(), "heard question");
    door.record(&door.docker, &[&serial]).await;
    door.until_refused(&config).await;
    let other = door.client(&door.docker.swap("person"), ALPN_DOCKER);
    assert_eq!(door.asked(other).await.unwrap(), "heard question");
}

#[tokio::test]
async fn streams_go_on_while_the_clients_issuer_is_replaced() {
    let door = Door::open().await;
    let config = door.client(&door.docker.swap("person"), ALPN_DOCKER);
    let mut stream = door.connect(config.clone()).await.unwrap();
    stream.write_all(b"old ").await.unwrap();
    let successor = Authority::new("docker 2");
    door.record(&successor, &[]).await;
    door.until_refused(&config).await;
    stream.write_all(b"stream").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "heard old stream");
    assert_eq!(
        door.asked(door.client(&successor.swap("person"), ALPN_DOCKER)).await.unwrap(),
        "heard question"
    );
}

#[tokio::test]
async fn a_shutdown_waits_for_the_streams_that_are_there() {
    let mut door = Door::open().await;
    let config = door.client(&door.docker.swap("person"), ALPN_DOCKER);
    let mut stream = door.connect(config.clone()).await.unwrap();
    stream.write_all(b"question").await.unwrap();
    door.shutdown.cancel();
    let gone = async { while TcpStream::connect(door.address).await.is_ok() {} };
    timeout(PATIENCE, gone).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "heard question");
    timeout(PATIENCE, &mut door.task).await.unwrap().unwrap();
}
