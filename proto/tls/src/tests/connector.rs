//! Connections are made to whom they are meant for.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::authority::Authority;
use crate::{
    ALPN_GRPC, Clients, ConnectError, Connector, ServerTls, ServerTrust, Swap, client_config, connector,
};

/// A listener that completes handshakes and says who called, until it is dropped.
struct Door {
    address: SocketAddr,
    swap: Swap,
    callers: tokio::sync::mpsc::Receiver<SocketAddr>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn door(authority: &Authority) -> Door {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let swap = authority.swap("spiffe://c1/coordinator/1");
    let config =
        ServerTls::new(&authority.root_pem(), &swap, ALPN_GRPC).clients(Clients::Anybody).build().unwrap();
    let (tell, callers) = tokio::sync::mpsc::channel(16);
    let task = tokio::spawn(async move {
        loop {
            let (tcp, from) = listener.accept().await.unwrap();
            if TlsAcceptor::from(config.clone()).accept(tcp).await.is_ok() {
                tell.send(from).await.unwrap();
            }
        }
    });
    Door { address, swap, callers, task }
}

fn anonymous(authority: &Authority) -> Connector {
    let trust = authority.root_pem();
    connector(client_config(ServerTrust::Roots(&trust), &Swap::empty(), ALPN_GRPC).unwrap())
}

fn uri(text: impl std::fmt::Display) -> Uri {
    format!("http://{text}").parse().unwrap()
}

#[tokio::test]
async fn it_is_a_tower_service_and_dials_from_the_address_it_was_given() {
    let ours = Authority::new("ours");
    let mut door = door(&ours).await;
    let from = IpAddr::V4(Ipv4Addr::new(127, 7, 7, 7));
    let stream = anonymous(&ours).with_local_address(from).oneshot(uri(door.address)).await.unwrap();
    assert!(stream.inner().get_ref().0.nodelay().unwrap());
    assert_eq!(door.callers.recv().await.unwrap().ip(), from);
}

#[tokio::test]
async fn a_swapped_server_certificate_is_seen_by_the_next_connection() {
    let ours = Authority::new("ours");
    let door = door(&ours).await;
    let connector = anonymous(&ours);
    let presented = async || {
        let stream = connector.connect(&uri(door.address)).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].clone()
    };
    let (first, second) = (presented().await, presented().await);
    assert_eq!(first, second);
    door.swap.set(ours.certified("spiffe://c1/coordinator/1", super::authority::tomorrow()));
    assert_ne!(presented().await, first);
}

#[tokio::test]
async fn names_are_asked_of_the_resolver_and_every_address_is_tried() {
    let ours = Authority::new("ours");
    let door = door(&ours).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let known = vec![closed, door.address];
    let resolving = anonymous(&ours).with_resolver(Arc::new(move |host, port| {
        assert_eq!((host.as_str(), port), ("coordinator-1", 7000));
        let known = known.clone();
        Box::pin(async move { Ok(known) })
    }));
    resolving.connect(&uri("coordinator-1:7000")).await.unwrap();
}

#[tokio::test]
async fn who_does_not_answer_is_given_up() {
    let ours = Authority::new("ours");
    // It listens, so that TCP connects, and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let within = Duration::from_millis(50);
    let error = anonymous(&ours).with_timeout(within).connect(&uri(address)).await.unwrap_err();
    assert!(matches!(error, ConnectError::Silent { .. }), "{error}");
}

#[tokio::test]
async fn a_stranger_is_told_apart_from_a_closed_port() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let door = door(&theirs).await;
    let error = anonymous(&ours).connect(&uri(door.address)).await.unwrap_err();
    assert!(matches!(error, ConnectError::Handshake { .. }), "{error}");
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = anonymous(&ours).connect(&uri(closed)).await.unwrap_err();
    assert!(matches!(error, ConnectError::Connect { .. }), "{error}");
}

#[tokio::test]
async fn a_uri_without_a_port_is_refused() {
    let ours = Authority::new("ours");
    let error = anonymous(&ours).connect(&uri("coordinator-1")).await.unwrap_err();
    assert_eq!(error.to_string(), "http://coordinator-1/ is not of the form http://HOST:PORT");
}

#[tokio::test]
async fn an_address_of_the_other_family_cannot_be_dialled_from_here() {
    let ours = Authority::new("ours");
    let from_v4 = anonymous(&ours).with_local_address(Ipv4Addr::LOCALHOST.into());
    let error = from_v4.connect(&uri("[::1]:7000")).await.unwrap_err();
    assert!(matches!(error, ConnectError::NoAddress { .. }), "{error}");
}
