//! Who is believed to be the machine.

use std::process::Command;
use std::sync::Arc;

use skep_ssh::known_hosts::KnownHosts;
use skep_ssh::{HostKeys, Kind, Stranger, connect};

use super::container::{Container, identity, keygen, stdout, straight};

#[tokio::test]
async fn keys_are_recorded_pinned_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let key = keygen(folder.path(), "id", &["-t", "ed25519"]);
    let machine = Container::boot();
    machine.let_in("root", &key);
    let with = async |keys: HostKeys| {
        let mut hop = machine.hop("root", vec![identity(&key)]);
        hop.keys = keys;
        connect(&straight(hop)).await
    };
    let seen = with(HostKeys::default()).await.unwrap().host_key().clone();
    assert!(seen.first_contact);
    assert_eq!(seen.line, machine.host_key("ed25519"));

    let mut pinned = HostKeys { stranger: Stranger::Refuse, ..HostKeys::default() };
    pinned.pin(&seen.line).unwrap();
    assert!(!with(pinned.clone()).await.unwrap().host_key().first_contact);
    // Known by another type of key: that is the one asked for.
    let line = format!("{} {}\n", machine.address, machine.host_key("ecdsa"));
    let known = HostKeys { known_hosts: Arc::new(KnownHosts::parse(&line)), ..HostKeys::default() };
    let other = with(known).await.unwrap().host_key().clone();
    assert!(other.fingerprint.starts_with("ecdsa") && !other.first_contact, "{other:?}");

    let fingerprint = seen.fingerprint.split_once(' ').unwrap().1.parse().unwrap();
    with(HostKeys { fingerprints: vec![fingerprint], ..HostKeys::default() }).await.unwrap();
    let stranger = HostKeys { stranger: Stranger::Refuse, ..HostKeys::default() };
    assert!(matches!(with(stranger).await.unwrap_err().kind, Kind::HostKeyUnknown { .. }));

    machine.sh("rm /etc/ssh/ssh_host_* && ssh-keygen -qA && systemctl restart ssh");
    let error = with(pinned).await.unwrap_err();
    let Kind::HostKeyChanged { known, shown, .. } = &error.kind else { panic!("{error}") };
    assert_eq!(known, std::slice::from_ref(&seen.fingerprint));
    let new = with(HostKeys::default()).await.unwrap().host_key().clone();
    assert_eq!(shown, &new.fingerprint);
}

#[tokio::test]
async fn an_authority_vouches_for_a_machine() {
    let folder = tempfile::tempdir().unwrap();
    let (key, authority) =
        (keygen(folder.path(), "id", &["-t", "ed25519"]), keygen(folder.path(), "ca", &["-t", "ed25519"]));
    let machine = Container::boot();
    machine.let_in("root", &key);
    let public = folder.path().join("host.pub");
    std::fs::write(&public, format!("{}\n", machine.host_key("ed25519"))).unwrap();
    stdout(
        Command::new("ssh-keygen")
            .args(["-q", "-h", "-s"])
            .arg(&authority)
            .args(["-I", "m", "-n", &machine.address])
            .arg(&public),
    );
    let certificate = std::fs::read_to_string(folder.path().join("host-cert.pub")).unwrap();
    machine.sh(&format!("echo '{certificate}' >/etc/ssh/host-cert.pub"));
    machine.configure("HostCertificate /etc/ssh/host-cert.pub");

    let with = async |lines: String| {
        let mut hop = machine.hop("root", vec![identity(&key)]);
        hop.keys = HostKeys {
            known_hosts: Arc::new(KnownHosts::parse(&lines)),
            stranger: Stranger::Refuse,
            ..HostKeys::default()
        };
        connect(&straight(hop)).await
    };
    let authority = std::fs::read_to_string(authority.with_extension("pub")).unwrap();
    with(format!("@cert-authority * {authority}")).await.unwrap();
    let other = machine.host_key("ecdsa");
    let error = with(format!("@cert-authority * {other}\n")).await.unwrap_err();
    assert!(matches!(error.kind, Kind::HostCertificate { .. }), "{error}");
    let revoked = format!("@cert-authority * {authority}\n@revoked * {authority}");
    assert!(matches!(with(revoked).await.unwrap_err().kind, Kind::HostKeyRevoked { .. }));
}
