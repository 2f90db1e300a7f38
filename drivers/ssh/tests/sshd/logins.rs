//! Every way to log in, and what is said when none works.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use skep_ssh::{Identity, Kind, Rsa, connect};
use skep_types::Secret;

use super::container::{Container, identity, keygen, stdout, straight};

/// An ssh-agent of the test's own.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    fn start(folder: &Path) -> Self {
        let socket = folder.join("agent");
        let mut command = Command::new("ssh-agent");
        let child = command.args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < deadline, "ssh-agent does not listen");
        }
        Self { child, socket }
    }

    fn add(&self, key: &Path) {
        stdout(Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket));
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[tokio::test]
async fn every_way_in() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let machine = Container::boot();
    let key = |name: &str, kind: &[&str]| keygen(folder, name, kind);
    let (ed, p256, p521) = (
        key("ed", &["-t", "ed25519"]),
        key("p256", &["-t", "ecdsa"]),
        key("p521", &["-t", "ecdsa", "-b", "521"]),
    );
    let (agents, stranger, authority) = (
        key("agents", &["-t", "ed25519"]),
        key("stranger", &["-t", "ed25519"]),
        key("ca", &["-t", "ed25519"]),
    );
    for key in [&ed, &p256, &p521, &agents] {
        machine.let_in("deploy", key);
    }
    machine.sh("echo 'deploy:open sesame' | chpasswd");
    let public = std::fs::read_to_string(authority.with_extension("pub")).unwrap();
    machine.sh(&format!("echo '{public}' >/etc/ssh/authority.pub"));
    machine.configure("TrustedUserCAKeys /etc/ssh/authority.pub\nKbdInteractiveAuthentication yes\nPasswordAuthentication yes");
    let login = async |identities| connect(&machine.route("deploy", identities)).await;

    for key in [&ed, &p256, &p521] {
        login(vec![identity(key)]).await.unwrap();
    }

    let agent = Agent::start(folder);
    agent.add(&stranger);
    agent.add(&agents);
    login(vec![Identity::Agent { socket: agent.socket.clone() }]).await.unwrap();

    stdout(
        Command::new("ssh-keygen")
            .args(["-q", "-s"])
            .arg(&authority)
            .args(["-I", "people", "-n", "deploy"])
            .arg(stranger.with_extension("pub")),
    );
    let certificate = std::fs::read_to_string(folder.join("stranger-cert.pub")).unwrap();
    login(vec![identity(&stranger).certified(&certificate).unwrap()]).await.unwrap();

    let password = || Identity::Password(Secret::new("open sesame"));
    login(vec![identity(&stranger), password()]).await.unwrap();
    machine.configure("PasswordAuthentication no\nKbdInteractiveAuthentication yes\nUsePAM yes");
    login(vec![password()]).await.unwrap();
}

#[tokio::test]
async fn what_was_tried_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let machine = Container::boot();
    let (a, b) =
        (keygen(folder.path(), "a", &["-t", "ed25519"]), keygen(folder.path(), "b", &["-t", "ecdsa"]));
    let agent = Agent::start(folder.path());
    agent.add(&a);
    machine.configure("PasswordAuthentication no\nKbdInteractiveAuthentication no");
    let identities = vec![
        identity(&a),
        identity(&b),
        Identity::Agent { socket: agent.socket.clone() },
        Identity::Password(Secret::new("open sesame")),
    ];
    let error = connect(&machine.route("root", identities.clone())).await.unwrap_err();
    let Kind::AuthFailed { tried, takes, .. } = &error.kind else { panic!("{error}") };
    assert_eq!(takes, &["publickey"], "a password is not given to a server that takes none");
    assert!(tried[0].starts_with("key a (ssh-ed25519 SHA256:"), "{tried:?}");
    assert!(tried[1].starts_with("key b (ecdsa-sha2-nistp256 SHA256:"), "{tried:?}");
    assert!(tried[2].starts_with("ssh-agent's key a SHA256:"), "{tried:?}");
    assert_eq!(tried.len(), 3);

    let error = connect(&machine.route("root", Vec::new())).await.unwrap_err();
    assert!(matches!(error.kind, Kind::NothingToTry { .. }), "{error}");
    let nowhere = vec![Identity::Agent { socket: "/nowhere".into() }];
    let error = connect(&machine.route("root", nowhere)).await.unwrap_err();
    let Kind::AuthFailed { tried, .. } = &error.kind else { panic!("{error}") };
    assert!(tried[0].starts_with("ssh-agent /nowhere (nobody answers there: "), "{tried:?}");

    machine.configure("MaxAuthTries 2");
    let error = connect(&machine.route("root", identities)).await.unwrap_err();
    assert!(error.to_string().contains("no more tries"), "{error}");
}

#[tokio::test]
async fn rsa_is_let_in_on_request_and_then_with_sha2_only() {
    let folder = tempfile::tempdir().unwrap();
    let machine = Container::boot();
    let rsa = keygen(folder.path(), "old", &["-t", "rsa", "-b", "2048"]);
    let agent = Agent::start(folder.path());
    agent.add(&rsa);
    machine.let_in("root", &rsa);
    let login = async |identities, rsa| {
        let mut hop = machine.hop("root", identities);
        hop.rsa = rsa;
        connect(&straight(hop)).await
    };
    let keys = || vec![identity(&rsa), Identity::Agent { socket: agent.socket.clone() }];
    let error = login(keys(), Rsa::Refused("set this")).await.unwrap_err();
    let Kind::AuthFailed { tried, .. } = &error.kind else { panic!("{error}") };
    assert_eq!(tried.len(), 2, "{tried:?}");
    assert!(
        tried[0].contains("key old (RSA keys are not let in") && tried[0].contains("set this"),
        "{tried:?}"
    );
    assert!(tried[1].contains("ssh-agent's key old") && tried[1].contains("set this"), "{tried:?}");
    for one in keys() {
        login(vec![one], Rsa::Sha2).await.unwrap();
    }

    // A machine that has no other key.
    machine.configure("HostKey /etc/ssh/ssh_host_rsa_key");
    let error = login(keys(), Rsa::Refused("set this")).await.unwrap_err();
    assert!(matches!(error.kind, Kind::RsaOnly { .. }), "{error}");
    assert!(login(keys(), Rsa::Sha2).await.unwrap().host_key().fingerprint.contains("SHA256:"));

    // Old servers know no other signature of such a key than one with SHA-1.
    machine.configure("PubkeyAcceptedAlgorithms ssh-rsa");
    assert!(matches!(login(keys(), Rsa::Sha2).await.unwrap_err().kind, Kind::AuthFailed { .. }));
    machine.configure("HostKey /etc/ssh/ssh_host_rsa_key\nHostKeyAlgorithms ssh-rsa");
    let error = login(keys(), Rsa::Sha2).await.unwrap_err();
    assert!(matches!(error.kind, Kind::Protocol { .. }), "{error}");
}
