//! Logins that are not root.

use skep_ssh::machine::Agent;
use skep_ssh::{Connection, Error, Kind, connect};
use skep_types::Secret;

use super::container::{Container, identity, keygen, straight};
use super::life::{bootstrap, marker, program};

async fn adopt(connection: &Connection) -> Result<(), Error> {
    let agent = Agent::new(program()).unwrap();
    connection.adopt(&marker("h1-1"), &agent, &bootstrap(&program())).await.map(drop)
}

#[tokio::test]
async fn sudo_with_and_without_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let key = keygen(folder.path(), "id", &["-t", "ecdsa"]);
    let machine = Container::boot();
    for user in ["free", "asks", "barred"] {
        machine.let_in(user, &key);
    }
    machine.sh("echo 'free ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/test; echo 'asks ALL=(ALL) ALL' >>/etc/sudoers.d/test");
    machine.sh("echo 'asks:open sesame' | chpasswd; echo 'barred:open sesame' | chpasswd");
    let login = async |user: &str, password: Option<&str>| {
        let mut hop = machine.hop(user, vec![identity(&key)]);
        hop.login.sudo_password = password.map(Secret::new);
        connect(&straight(hop)).await.unwrap()
    };
    let why = async |user: &str, password: Option<&str>| {
        let error = adopt(&login(user, password).await).await.unwrap_err();
        assert!(matches!(error.kind, Kind::NoSudo { .. }), "{error}");
        error.to_string()
    };
    assert!(why("asks", None).await.contains("none is given"));
    assert!(why("asks", Some("wrong")).await.contains("does not take its password"));
    assert!(why("barred", Some("open sesame")).await.contains("may not use sudo"));

    // A password that sudo does not ask for reaches no shell.
    let connection = login("free", Some("touch /pwned")).await;
    adopt(&connection).await.unwrap();
    connection.release(&marker("h1-1")).await.unwrap();
    machine.sh("[ ! -e /pwned ]");

    let connection = login("asks", Some("open sesame")).await;
    adopt(&connection).await.unwrap();
    assert_eq!(connection.state().await.unwrap().marker, Some(marker("h1-1")));
    connection.release(&marker("h1-1")).await.unwrap();
    assert!(!machine.sh("journalctl --no-pager").contains("open sesame"));

    machine.sh("mv /usr/bin/sudo /usr/bin/other");
    assert!(why("asks", Some("open sesame")).await.contains("there is no sudo"));
}
