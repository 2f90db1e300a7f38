//! Whoever is at the end of a connection that was dialled shows a certificate of this cluster, like anybody who came.

use skep_tls::{
    ALPN_CONTROL, ALPN_GRPC, Certified, Clients, Key, ServerTls, ServerTrust, Swap, client_config, meet,
    wall_now,
};
use skep_types::{ClusterId, CoordinatorId, HostId};
use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio::net::TcpListener;

use super::*;
use crate::trust::{ClusterKey, Issuers};

/// A handshake in memory takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// Roots of their own, under the name of the one cluster.
fn issuers() -> Issuers {
    let cluster: ClusterId = "lab-cluster".parse().unwrap();
    let sealer = ClusterKey::generate().unwrap().sealer(&cluster).unwrap();
    let sealed = Issuers::create(&sealer, &cluster, wall_now()).unwrap();
    Issuers::open(&sealer, &cluster, &sealed).unwrap()
}

/// What the agent of one host presents, issued by these.
fn agent(issuers: &Issuers) -> Certified {
    let key = Key::generate().unwrap();
    let issued = issuers.agent(HostId::new(1, 2), 1, key.public(), wall_now()).unwrap();
    Certified::new(issued.chain, &key).unwrap()
}

fn coordinator(issuers: &Issuers) -> Arc<ServerConfig> {
    let key = Key::generate().unwrap();
    let issued = issuers.coordinator_control(CoordinatorId(1), &[], key.public(), wall_now()).unwrap();
    let swap = Swap::new(Certified::new(issued.chain, &key).unwrap());
    let roots = issuers.control.root_pem();
    ServerTls::new(&roots, &swap, ALPN_CONTROL).clients(Clients::AnybodyAndExpired).build().unwrap()
}

/// The agent's end, after its own side of the handshake: it believes in `trusted`, whatever it presents.
async fn called(
    far: DuplexStream,
    trusted: &Issuers,
    presented: Certified,
) -> io::Result<tokio_rustls::client::TlsStream<DuplexStream>> {
    let trust = trusted.control.root_pem();
    let config = client_config(ServerTrust::Roots(&trust), &Swap::new(presented), ALPN_GRPC).unwrap();
    meet(config, far).await
}

#[tokio::test]
async fn a_stranger_at_a_hosts_address_is_not_served() {
    let (ours, theirs) = (issuers(), issuers());
    let (links, dialled) = mpsc::channel(2);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stopping = CancellationToken::new();
    let mut served = spawn(Connections { listener, dialled }, coordinator(&ours), stopping.clone());
    let dial = async || {
        let (near, far) = duplex(16 * 1024);
        links.send(Link::dialled(near, "10.1.0.2:2376".parse().unwrap())).await.unwrap();
        far
    };

    // The same host of the same cluster, by its words.
    let told = async {
        match called(dial().await, &ours, agent(&theirs)).await {
            // Its own side of the handshake is over before it hears what became of its certificate.
            Ok(mut stream) => stream.read_u8().await.map(drop),
            Err(error) => Err(error),
        }
    };
    let told = tokio::time::timeout(PATIENCE, told).await.unwrap();
    assert!(told.is_err(), "it was let in");

    let certified = agent(&ours);
    let leaf = certified.leaf().clone();
    let _held = called(dial().await, &ours, certified).await.unwrap();
    let connection = tokio::time::timeout(PATIENCE, served.recv()).await.unwrap().unwrap().unwrap();
    let (_, session) = connection.get_ref();
    let shown = skep_tls::Certificate::from_der(&session.peer_certificates().unwrap()[0]).unwrap();
    assert_eq!(shown.public_key, leaf.public_key, "the stranger was handed on to be served");
    assert!(served.try_recv().is_err());
    stopping.cancel();
}
