//! Machines behind other machines.

use std::time::Duration;

use skep_ssh::{Deadlines, Kind, Route, connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::container::{Container, identity, keygen};

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn through_two_jump_hosts_and_beyond() {
    let folder = tempfile::tempdir().unwrap();
    let key = keygen(folder.path(), "id", &["-t", "ed25519"]);
    let (outer, inner, machine) = (Container::boot(), Container::boot(), Container::boot());
    for container in [&outer, &inner, &machine] {
        container.let_in("root", &key);
    }
    // The machine answers its neighbour only.
    machine.sh(&format!("iptables -A INPUT -i eth0 -p tcp --dport 22 ! -s {} -j REJECT", inner.address));
    let hop = |container: &Container| container.hop("root", vec![identity(&key)]);
    let route = |jumps| Route { jumps, target: hop(&machine), deadlines: Deadlines::default() };
    let refused = connect(&route(Vec::new())).await.unwrap_err();
    assert!(matches!(refused.kind, Kind::Refused { .. }), "{refused}");
    let refused = connect(&route(vec![hop(&outer)])).await.unwrap_err();
    assert!(matches!(refused.kind, Kind::ForwardRefused { .. }), "{refused}");

    let connection = connect(&route(vec![hop(&outer), hop(&inner)])).await.unwrap();
    let looked = connection.look().await.unwrap();
    assert_eq!(looked.address.unwrap().to_string(), machine.address);
    assert_eq!(connection.jump_keys().count(), 2);

    // A stream to the machine's own SSH server, through itself.
    let mut stream = connection.forward("127.0.0.1", 22, LIMIT).await.unwrap();
    let mut banner = [0; 8];
    stream.read_exact(&mut banner).await.unwrap();
    assert_eq!(&banner, b"SSH-2.0-");
    stream.write_all(b"hello\r\n").await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"\r\n"), "the server says what it does not like, and hangs up");
    let error = connection.forward("127.0.0.1", 1, LIMIT).await.err().unwrap();
    assert!(matches!(error.kind, Kind::ForwardRefused { .. }), "{error}");

    outer.configure("AllowTcpForwarding no");
    let error = connect(&route(vec![hop(&outer)])).await.unwrap_err();
    assert!(error.to_string().contains("forbid forwarding"), "{error}");
}

#[tokio::test]
async fn many_at_once_through_a_server_that_drops_some() {
    let folder = tempfile::tempdir().unwrap();
    let key = keygen(folder.path(), "id", &["-t", "ed25519"]);
    let machine = Container::boot();
    machine.let_in("root", &key);
    machine.configure("MaxStartups 3:60:6");
    let route = machine.route("root", vec![identity(&key)]);
    let routes = vec![route; 12];
    let tasks: Vec<_> = routes
        .into_iter()
        .map(|route| tokio::spawn(async move { connect(&route).await.map(drop) }))
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}
