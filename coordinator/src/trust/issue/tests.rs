//! What the issuers give out, as the handshakes of skep take it.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use skep_tls::{ALPN_GRPC, Certified, Clients, Key, ServerTls, ServerTrust, Swap, client_config, wall_now};
use skep_types::{ClusterId, Code};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::super::{Caller, ClusterKey};
use super::*;

fn cluster() -> ClusterId {
    "0199-c1".parse().unwrap()
}

fn issuers_of(cluster: &ClusterId) -> Issuers {
    let sealer = ClusterKey::generate().unwrap().sealer(cluster).unwrap();
    let sealed = Issuers::create(&sealer, cluster, wall_now()).unwrap();
    Issuers::open(&sealer, cluster, &sealed).unwrap()
}

fn issuers() -> Issuers {
    issuers_of(&cluster())
}

fn key() -> Key {
    Key::generate().unwrap()
}

fn presented(issued: Issued, key: &Key) -> Swap {
    Swap::new(Certified::new(issued.chain, key).unwrap())
}

fn coordinator(issuers: &Issuers) -> Swap {
    let key = key();
    presented(issuers.coordinator_control(CoordinatorId(1), &[], key.public(), wall_now()).unwrap(), &key)
}

fn agent(issuers: &Issuers, issued_at: WallTime) -> Swap {
    let key = key();
    presented(issuers.agent(HostId::new(1, 2), 3, key.public(), issued_at).unwrap(), &key)
}

fn control_port(issuers: &Issuers, clients: Clients) -> Arc<ServerConfig> {
    let roots = issuers.control.root_pem();
    ServerTls::new(&roots, &coordinator(issuers), ALPN_GRPC).clients(clients).build().unwrap()
}

fn caller_of(issuers: &Issuers, presented: &Swap) -> Arc<ClientConfig> {
    client_config(ServerTrust::Roots(&issuers.control.root_pem()), presented, ALPN_GRPC).unwrap()
}

/// The leaf the client showed, once the server admitted it.
async fn admit(server: Arc<ServerConfig>, client: Arc<ClientConfig>) -> std::io::Result<Option<Vec<u8>>> {
    let (near, far) = duplex(16 * 1024);
    let serve = async {
        let mut stream = TlsAcceptor::from(server).accept(far).await?;
        stream.write_all(b"!").await?;
        stream.flush().await?;
        std::io::Result::Ok(stream.get_ref().1.peer_certificates().map(|chain| chain[0].to_vec()))
    };
    let dial = async {
        let name = ServerName::try_from(COORDINATOR_NAME).unwrap();
        TlsConnector::from(client).connect(name, near).await?.read_u8().await
    };
    Ok(tokio::try_join!(serve, dial)?.0)
}

fn is_served_as(issuer: &Issuer, issued: &Issued, name: &str) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(issuer.root().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    verifier.verify_server_cert(&issued.chain[0], &issued.chain[1..], &name, &[], UnixTime::now()).is_ok()
}

#[test]
fn the_log_keeps_no_key_in_clear_and_another_cluster_key_opens_none() {
    let (ours, theirs) = (ClusterKey::generate().unwrap(), ClusterKey::generate().unwrap());
    let sealed = Issuers::create(&ours.sealer(&cluster()).unwrap(), &cluster(), wall_now()).unwrap();
    assert!(Issuers::open(&theirs.sealer(&cluster()).unwrap(), &cluster(), &sealed).is_err());
    let mut swapped = sealed.clone();
    std::mem::swap(&mut swapped.raft.sealed_key, &mut swapped.control.sealed_key);
    assert!(Issuers::open(&ours.sealer(&cluster()).unwrap(), &cluster(), &swapped).is_err());
}

#[test]
fn certificates_are_dated_back_numbered_at_random_and_live_as_long_as_they_should() {
    let (issuers, key, now) = (issuers(), key(), wall_now());
    let issue = || issuers.agent(HostId::new(1, 2), 3, key.public(), now).unwrap();
    let (first, second) = (issue(), issue());
    assert_ne!(first.leaf.serial, second.leaf.serial);
    assert_eq!(first.leaf.serial.len(), 32);
    assert_eq!(first.leaf.not_before, now.before(lifetimes::BACKDATED));
    assert_eq!(first.leaf.not_after, now.after(lifetimes::AGENT_CERTIFICATE));
    assert_eq!(first.leaf.public_key, *key.public());
    assert_eq!(first.pem().matches("BEGIN CERTIFICATE").count(), 2);
}

#[test]
fn a_coordinator_is_found_under_its_name_and_its_addresses_only() {
    let (issuers, key) = (issuers(), key());
    let hosts = ["172.30.0.1", "fd00::1", "c1.example.com"];
    let issued = issuers.coordinator_control(CoordinatorId(1), &hosts, key.public(), wall_now()).unwrap();
    for name in hosts.iter().chain([&COORDINATOR_NAME]) {
        assert!(is_served_as(&issuers.control, &issued, name), "{name}");
    }
    assert!(!is_served_as(&issuers.control, &issued, "172.30.0.2"));
    assert!(!is_served_as(&issuers.raft, &issued, COORDINATOR_NAME), "issuers are apart");
    let raft = issuers.coordinator_raft(CoordinatorId(1), key.public(), wall_now()).unwrap();
    assert!(is_served_as(&issuers.raft, &raft, COORDINATOR_NAME));
    assert!(!is_served_as(&issuers.control, &raft, COORDINATOR_NAME), "issuers are apart");
}

#[test]
fn what_is_no_address_is_refused() {
    let (issuers, key) = (issuers(), key());
    for host in ["", "a b", "a/b", "*.example.com", &"x".repeat(254)] {
        let error =
            issuers.coordinator_control(CoordinatorId(1), &[host], key.public(), wall_now()).unwrap_err();
        assert!(matches!(error, TrustError::Name { .. }), "{host}");
    }
}

#[test]
fn a_front_door_is_found_under_its_hosts_addresses() {
    let (issuers, key) = (issuers(), key());
    let addresses = ["172.30.0.7".parse().unwrap()];
    let issued =
        issuers.docker_door(&"demo-1".parse().unwrap(), &addresses, key.public(), wall_now()).unwrap();
    assert!(is_served_as(&issuers.docker, &issued, "172.30.0.7"));
    assert!(is_served_as(&issuers.docker, &issued, "demo-1"));
    assert!(!is_served_as(&issuers.docker, &issued, COORDINATOR_NAME));
}

#[tokio::test]
async fn agents_and_people_are_told_apart_on_the_control_port() {
    let (issuers, key, now) = (issuers(), key(), wall_now());
    let anna = issuers.person(&"anna".parse().unwrap(), 7, key.public(), now).unwrap();
    let admit = async |swap: &Swap| {
        let port = control_port(&issuers, Clients::AnybodyAndExpired);
        let leaf = admit(port, caller_of(&issuers, swap)).await.unwrap();
        Caller::of(leaf.as_deref(), &cluster(), now).unwrap()
    };
    let anna = admit(&presented(anna, &key)).await;
    assert_eq!(anna, Caller::Person { name: "anna".parse().unwrap(), generation: 7 });
    let swap = agent(&issuers, now);
    let key = swap.get().unwrap().leaf().public_key.digest();
    let host = Caller::Host { id: HostId::new(1, 2), incarnation: 3, expired: false, key };
    assert_eq!(admit(&swap).await, host);
    assert_eq!(admit(&coordinator(&issuers)).await, Caller::Coordinator(CoordinatorId(1)));
    assert_eq!(admit(&Swap::empty()).await, Caller::Anonymous);
}

#[tokio::test]
async fn an_expired_agent_is_admitted_where_it_may_renew_and_nowhere_else() {
    let issuers = issuers();
    let two_days_ago = wall_now().before(lifetimes::AGENT_CERTIFICATE * 2);
    let caller = caller_of(&issuers, &agent(&issuers, two_days_ago));
    assert!(admit(control_port(&issuers, Clients::Certified), caller.clone()).await.is_err());
    assert!(admit(control_port(&issuers, Clients::Anybody), caller.clone()).await.is_err());
    let leaf = admit(control_port(&issuers, Clients::AnybodyAndExpired), caller).await.unwrap();
    let caller = Caller::of(leaf.as_deref(), &cluster(), wall_now()).unwrap();
    assert!(matches!(caller, Caller::Host { expired: true, .. }), "{caller:?}");
}

#[test]
fn an_expired_person_is_refused() {
    let (issuers, key) = (issuers(), key());
    let yesterday = wall_now().before(lifetimes::PERSON_CERTIFICATE * 2);
    let anna = issuers.person(&"anna".parse().unwrap(), 1, key.public(), yesterday).unwrap();
    let refusal = Caller::of(Some(&anna.chain[0]), &cluster(), wall_now()).unwrap_err();
    assert_eq!(refusal.code, Code::Unauthenticated);
}

#[tokio::test]
async fn a_certificate_of_another_cluster_is_refused() {
    let (ours, other) = (issuers(), "0199-c2".parse().unwrap());
    let theirs = issuers_of(&other);
    let stranger = caller_of(&ours, &agent(&theirs, wall_now()));
    assert!(admit(control_port(&ours, Clients::AnybodyAndExpired), stranger).await.is_err());
    // And if it came through all the same: the identity names the other cluster.
    let leaf = theirs.agent(HostId::new(1, 2), 3, key().public(), wall_now()).unwrap().chain.remove(0);
    let refusal = Caller::of(Some(&leaf), &cluster(), wall_now()).unwrap_err();
    assert_eq!(refusal.message, "your certificate is of the cluster 0199-c2; this is the cluster 0199-c1");
}

#[tokio::test]
async fn a_docker_certificate_opens_no_other_door() {
    let (issuers, key, now) = (issuers(), key(), wall_now());
    let docker = issuers.docker_client(&"anna".parse().unwrap(), key.public(), now).unwrap();
    let refusal = Caller::of(Some(&docker.chain[0]), &cluster(), now).unwrap_err();
    assert_eq!(refusal.code, Code::Unauthenticated);
    let caller = caller_of(&issuers, &presented(docker, &key));
    assert!(admit(control_port(&issuers, Clients::AnybodyAndExpired), caller).await.is_err());
}

#[tokio::test]
async fn a_join_token_pins_the_control_root() {
    let (ours, theirs) = (issuers(), issuers());
    let join = |issuers: &Issuers| {
        let trust = ServerTrust::RootDigest(issuers.control.root_digest());
        client_config(trust, &Swap::empty(), ALPN_GRPC).unwrap()
    };
    assert!(admit(control_port(&ours, Clients::Anybody), join(&ours)).await.is_ok());
    assert!(admit(control_port(&ours, Clients::Anybody), join(&theirs)).await.is_err());
}
