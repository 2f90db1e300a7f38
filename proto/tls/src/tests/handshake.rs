//! Handshakes succeed between those who trust each other, and between nobody else.

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::authority::{Authority, an_hour_ago, tomorrow};
use crate::{
    ALPN_CONTROL, ALPN_DOCKER, ALPN_GRPC, COORDINATOR_NAME, Certificate, Clients, ServerTls, ServerTrust,
    Swap, client_config, sha256, wall_now,
};

const COORDINATOR: &str = "spiffe://c1/coordinator/1";
const HOST: &str = "spiffe://c1/host/h1-2/3";

/// What each end knows of the other after one byte has come back.
struct Met {
    client: Option<Certificate>,
    server: Certificate,
    alpn: Option<Vec<u8>>,
}

async fn meet(server: Arc<ServerConfig>, client: Arc<ClientConfig>) -> io::Result<Met> {
    let (near, far) = duplex(16 * 1024);
    let serve = async {
        let mut stream = TlsAcceptor::from(server).accept(far).await?;
        stream.write_all(b"!").await?;
        stream.flush().await?;
        let leaf = stream.get_ref().1.peer_certificates().map(|chain| chain[0].clone());
        io::Result::Ok(leaf.map(|leaf| Certificate::from_der(&leaf).unwrap()))
    };
    let dial = async {
        let name = ServerName::try_from(COORDINATOR_NAME).unwrap();
        let mut stream = TlsConnector::from(client).connect(name, near).await?;
        stream.read_u8().await?;
        let session = stream.get_ref().1;
        let leaf = Certificate::from_der(&session.peer_certificates().unwrap()[0]).unwrap();
        io::Result::Ok((leaf, session.alpn_protocol().map(<[u8]>::to_vec)))
    };
    let (client, (server, alpn)) = tokio::try_join!(serve, dial)?;
    Ok(Met { client, server, alpn })
}

fn server(authority: &Authority, clients: Clients) -> Arc<ServerConfig> {
    let swap = authority.swap(COORDINATOR);
    ServerTls::new(&authority.root_pem(), &swap, ALPN_CONTROL).clients(clients).build().unwrap()
}

fn client(authority: &Authority, presented: &Swap) -> Arc<ClientConfig> {
    client_config(ServerTrust::Roots(&authority.root_pem()), presented, ALPN_GRPC).unwrap()
}

#[tokio::test]
async fn both_ends_know_each_other() {
    let ours = Authority::new("ours");
    let met = meet(server(&ours, Clients::Certified), client(&ours, &ours.swap(HOST))).await.unwrap();
    assert_eq!(met.client.unwrap().identity.unwrap().to_string(), HOST);
    assert_eq!(met.server.identity.unwrap().to_string(), COORDINATOR);
    assert_eq!(met.alpn.as_deref(), Some(b"h2".as_slice()));
}

#[tokio::test]
async fn without_a_certificate_only_where_anybody_may_call() {
    let ours = Authority::new("ours");
    let nobody = client(&ours, &Swap::empty());
    assert!(meet(server(&ours, Clients::Certified), nobody.clone()).await.is_err());
    let met = meet(server(&ours, Clients::Anybody), nobody).await.unwrap();
    assert!(met.client.is_none());
}

#[tokio::test]
async fn another_clusters_certificate_is_refused_on_either_end() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("ours"));
    for clients in [Clients::Certified, Clients::Anybody, Clients::AnybodyAndExpired] {
        let stranger = client(&ours, &theirs.swap(HOST));
        assert!(meet(server(&ours, clients), stranger).await.is_err(), "{clients:?}");
    }
    assert!(meet(server(&theirs, Clients::Anybody), client(&ours, &Swap::empty())).await.is_err());
}

#[tokio::test]
async fn an_expired_certificate_only_where_it_may_renew() {
    let ours = Authority::new("ours");
    let expired = client(&ours, &Swap::new(ours.certified(HOST, an_hour_ago())));
    assert!(meet(server(&ours, Clients::Certified), expired.clone()).await.is_err());
    assert!(meet(server(&ours, Clients::Anybody), expired.clone()).await.is_err());
    let met = meet(server(&ours, Clients::AnybodyAndExpired), expired).await.unwrap();
    assert!(met.client.unwrap().expired(wall_now()));
}

#[tokio::test]
async fn an_expired_certificate_of_another_cluster_is_refused() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("ours"));
    let stranger = client(&ours, &Swap::new(theirs.certified(HOST, an_hour_ago())));
    assert!(meet(server(&ours, Clients::AnybodyAndExpired), stranger).await.is_err());
}

#[tokio::test]
async fn an_expired_server_is_refused() {
    let ours = Authority::new("ours");
    let swap = Swap::new(ours.certified(COORDINATOR, an_hour_ago()));
    let server = ServerTls::new(&ours.root_pem(), &swap, ALPN_GRPC).build().unwrap();
    assert!(meet(server, client(&ours, &ours.swap(HOST))).await.is_err());
}

#[tokio::test]
async fn a_swap_is_seen_by_the_next_handshake_on_either_end() {
    let ours = Authority::new("ours");
    let (near, far) = (ours.swap(HOST), ours.swap(COORDINATOR));
    let server = ServerTls::new(&ours.root_pem(), &far, ALPN_GRPC).build().unwrap();
    let client = client(&ours, &near);
    let before = meet(server.clone(), client.clone()).await.unwrap();
    near.set(ours.certified(HOST, tomorrow()));
    far.set(ours.certified(COORDINATOR, tomorrow()));
    let after = meet(server, client).await.unwrap();
    assert_ne!(before.server.public_key, after.server.public_key);
    assert_ne!(before.client.unwrap().public_key, after.client.unwrap().public_key);
    assert_eq!(after.server.public_key, far.get().unwrap().leaf().public_key);
}

#[tokio::test]
async fn a_root_is_trusted_by_its_digest_and_by_no_other() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let pinned = |root: &Authority| {
        client_config(ServerTrust::RootDigest(sha256(&root.root)), &Swap::empty(), ALPN_GRPC).unwrap()
    };
    assert!(meet(server(&ours, Clients::Anybody), pinned(&ours)).await.is_ok());
    assert!(meet(server(&ours, Clients::Anybody), pinned(&theirs)).await.is_err());
}

#[tokio::test]
async fn a_root_that_did_not_sign_the_leaf_does_not_help_it() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("ours"));
    let key = crate::Key::generate().unwrap();
    let leaf = theirs.certify(&key, &[COORDINATOR], tomorrow());
    let borrowed = Swap::new(crate::Certified::new(vec![leaf, ours.root.clone()], &key).unwrap());
    let server =
        ServerTls::new(&ours.root_pem(), &borrowed, ALPN_GRPC).clients(Clients::Anybody).build().unwrap();
    let pinned =
        client_config(ServerTrust::RootDigest(sha256(&ours.root)), &Swap::empty(), ALPN_GRPC).unwrap();
    assert!(meet(server, pinned).await.is_err());
}

#[tokio::test]
async fn older_docker_clients_may_speak_tls_1_2() {
    let ours = Authority::new("ours");
    let swap = ours.swap(COORDINATOR);
    let door = |door: ServerTls<'_>| door.build().unwrap();
    let old = door(ServerTls::new(&ours.root_pem(), &swap, ALPN_DOCKER).with_tls12());
    let new = door(ServerTls::new(&ours.root_pem(), &swap, ALPN_DOCKER));
    let roots = crate::server::roots(&ours.root_pem()).unwrap();
    let mut client = ClientConfig::builder_with_provider(crate::provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(ours.swap(HOST)));
    client.alpn_protocols = vec![b"http/1.1".to_vec()];
    let client = Arc::new(client);
    assert!(meet(old, client.clone()).await.unwrap().client.is_some());
    assert!(meet(new, client).await.is_err());
}
