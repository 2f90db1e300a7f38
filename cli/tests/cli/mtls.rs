//! The real way: TCP, certificates on both sides, and their renewal.

use std::net::SocketAddr;
use std::sync::Arc;

use insta::assert_snapshot;
use rustls::ServerConfig;
use skep_tls::{ALPN_GRPC, Key, ServerTls, Swap};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;

use crate::fake::things::{Authority, fleet};
use crate::fake::{Fake, World};
use crate::run::{Shell, mode};

const HOUR: u64 = 3_600;

/// A coordinator on a port of its own, until it is dropped.
struct Coordinator {
    address: SocketAddr,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Coordinator {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn coordinator(fake: &Fake) -> Coordinator {
    let tls = {
        let world = fake.world();
        let issuer = world.issuer.as_ref().unwrap();
        let swap = Swap::new(issuer.certified(&Key::generate().unwrap(), HOUR, 3_600));
        ServerTls::new(&issuer.root_pem(), &swap, ALPN_GRPC).build().unwrap()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (accepted, incoming) = tokio::sync::mpsc::channel(16);
    let router = fake.router(Server::builder());
    let serve = async move {
        router.serve_with_incoming(ReceiverStream::new(incoming)).await.unwrap();
    };
    Coordinator { address, tasks: [tokio::spawn(accept(listener, tls, accepted)), tokio::spawn(serve)] }
}

async fn accept(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    accepted: tokio::sync::mpsc::Sender<std::io::Result<TlsStream<TcpStream>>>,
) {
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        // Handshakes that fail are the tests' own.
        if let Ok(stream) = TlsAcceptor::from(tls.clone()).accept(tcp).await {
            accepted.send(Ok(stream)).await.unwrap();
        }
    }
}

fn fake() -> Fake {
    Fake::new(World { hosts: fleet(), issuer: Some(Authority::new()), ..World::default() })
}

/// A person whose certificate `issuer` gave `age_s` ago, for `left_s` more.
fn person(issuer: &Authority, roots: &str, age_s: u64, left_s: i64) -> Shell {
    let shell = Shell::without_cluster();
    let key = Key::generate().unwrap();
    key.save(&shell.path("person.key")).unwrap();
    std::fs::write(shell.path("person.pem"), issuer.leaf(key.public(), age_s, left_s)).unwrap();
    std::fs::write(shell.path("ca.pem"), roots).unwrap();
    shell
}

fn own_person(fake: &Fake, age_s: u64, left_s: i64) -> Shell {
    let world = fake.world();
    let issuer = world.issuer.as_ref().unwrap();
    person(issuer, &issuer.root_pem(), age_s, left_s)
}

#[tokio::test]
async fn a_person_is_served_and_a_dead_coordinator_passed_over() {
    let fake = fake();
    let coordinator = coordinator(&fake).await;
    // A port that was free a moment ago, and refuses.
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let shell = own_person(&fake, 60, 3_600);
    shell.write_config(&[&dead.to_string(), &coordinator.address.to_string()]);
    let outcome = shell.run("status web-2").await;
    assert_eq!((outcome.code, outcome.out.as_str(), outcome.err.as_str()), (0, "Ready\n", ""));
    assert_eq!(fake.world().asked.len(), 1, "a fresh certificate is not renewed");
}

#[tokio::test]
async fn past_half_of_its_life_the_certificate_is_renewed_for_the_same_key() {
    let fake = fake();
    let coordinator = coordinator(&fake).await;
    let shell = own_person(&fake, HOUR, 600);
    shell.write_config(&[&coordinator.address.to_string()]);
    let old = std::fs::read(shell.path("person.pem")).unwrap();
    assert_eq!(shell.run("status web-2").await.out, "Ready\n");
    assert!(fake.world().asked[0].starts_with("Cluster/IssueCertificate"));
    assert_ne!(std::fs::read(shell.path("person.pem")).unwrap(), old);
    assert_eq!(mode(&shell.path("person.pem")), 0o600);
    shell.run("status web-2").await;
    assert_eq!(fake.world().asked.len(), 3, "the new one serves");
}

#[tokio::test]
async fn a_renewal_that_fails_does_not_stop_the_command() {
    let fake = fake();
    let coordinator = coordinator(&fake).await;
    let shell = own_person(&fake, HOUR, 600);
    shell.write_config(&[&coordinator.address.to_string()]);
    let status = tonic::Status::permission_denied("the person was dismissed");
    fake.world().refusals.insert("Cluster/IssueCertificate", [status].into());
    assert_snapshot!("renewal_failed", shell.run("status web-2").await);
}

#[tokio::test]
async fn an_expired_certificate_is_told_before_anybody_is_asked() {
    let fake = fake();
    let shell = own_person(&fake, HOUR, -60);
    shell.write_config(&["127.0.0.1:1"]);
    assert_snapshot!("expired", shell.run("status web-2").await);
}

#[tokio::test]
async fn a_certificate_of_another_cluster_is_refused() {
    let fake = fake();
    let coordinator = coordinator(&fake).await;
    let other = Authority::new();
    let roots = fake.world().issuer.as_ref().unwrap().root_pem();
    let shell = person(&other, &roots, 60, 3_600);
    shell.write_config(&[&coordinator.address.to_string()]);
    let outcome = shell.run("status web-2").await;
    assert_eq!(outcome.code, 6, "{outcome}");
}

#[tokio::test]
async fn a_coordinator_of_another_cluster_is_not_believed() {
    let fake = fake();
    let coordinator = coordinator(&fake).await;
    let other = Authority::new();
    let shell = person(&other, &other.root_pem(), 60, 3_600);
    shell.write_config(&[&coordinator.address.to_string()]);
    let outcome = shell.run("status web-2").await;
    assert_eq!(outcome.code, 6, "{outcome}");
    assert!(fake.world().asked.is_empty());
}
