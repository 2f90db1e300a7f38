use russh::keys::PrivateKey;
use russh::keys::key::safe_rng;
use russh::keys::ssh_key::certificate::Builder;

use super::*;

const NOW: u64 = 1_700_000_000;

fn key(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::random(&mut safe_rng(), algorithm).unwrap()
}

fn ed25519() -> PrivateKey {
    key(Algorithm::Ed25519)
}

fn shown(key: &PrivateKey) -> PublicKeyOrCertificate {
    key.public_key().clone().into()
}

fn judge(keys: &HostKeys, shown: &PublicKeyOrCertificate) -> Result<SeenKey, Kind> {
    keys.judge("web.example.com", 22, shown, NOW)
}

fn hosts(lines: &str) -> HostKeys {
    HostKeys { known_hosts: Arc::new(KnownHosts::parse(lines)), ..HostKeys::default() }
}

fn line(key: &PrivateKey) -> String {
    key.public_key().to_openssh().unwrap()
}

#[test]
fn a_stranger_is_recorded_or_refused_as_asked() {
    let key = ed25519();
    let seen = judge(&HostKeys::default(), &shown(&key)).unwrap();
    assert!(seen.first_contact && seen.fingerprint.starts_with("ssh-ed25519 SHA256:"), "{seen:?}");
    let strict = HostKeys { stranger: Stranger::Refuse, ..HostKeys::default() };
    assert!(matches!(judge(&strict, &shown(&key)), Err(Kind::HostKeyUnknown { .. })));
}

#[test]
fn a_recorded_key_is_the_only_one_from_then_on() {
    let key = ed25519();
    let seen = judge(&HostKeys::default(), &shown(&key)).unwrap();
    let mut pinned = HostKeys::default();
    pinned.pin(&seen.line).unwrap();
    assert!(!judge(&pinned, &shown(&key)).unwrap().first_contact);
    let Err(Kind::HostKeyChanged { known, shown, .. }) = judge(&pinned, &shown(&ed25519())) else { panic!() };
    assert_eq!(known, [seen.fingerprint]);
    assert_ne!(known[0], shown);
    assert!(pinned.pin("nonsense").is_err());
}

#[test]
fn fingerprints_and_known_hosts_are_as_good() {
    let (key, other) = (ed25519(), ed25519());
    let fingerprints =
        HostKeys { fingerprints: vec![key.fingerprint(HashAlg::Sha256)], ..HostKeys::default() };
    let known = hosts(&format!("web.example.com {}\n", line(&key)));
    for keys in [fingerprints, known] {
        assert!(!judge(&keys, &shown(&key)).unwrap().first_contact);
        assert!(matches!(judge(&keys, &shown(&other)), Err(Kind::HostKeyChanged { .. })));
    }
    let elsewhere = hosts(&format!("db.example.com {}\n", line(&other)));
    assert!(judge(&elsewhere, &shown(&key)).unwrap().first_contact);
}

#[test]
fn a_revoked_key_is_refused_whatever_else_is_known() {
    let key = ed25519();
    let mut keys = hosts(&format!("@revoked * {}\n", line(&key)));
    keys.pin(&line(&key)).unwrap();
    assert!(matches!(judge(&keys, &shown(&key)), Err(Kind::HostKeyRevoked { .. })));
}

#[test]
fn a_server_is_asked_for_the_kind_of_key_that_is_known() {
    let p384 = Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 };
    let keys = hosts(&format!("web.example.com {}\n", line(&key(p384.clone()))));
    assert_eq!(keys.algorithms("web.example.com", 22, Rsa::Sha2)[0], p384);
    assert_eq!(keys.algorithms("other", 22, Rsa::Sha2)[0], Algorithm::Ed25519);
    let rsa = |rsa| {
        let offered = keys.algorithms("other", 22, rsa);
        offered.into_iter().filter(|algorithm| matches!(algorithm, Algorithm::Rsa { .. })).collect::<Vec<_>>()
    };
    assert_eq!(rsa(Rsa::Refused("")), []);
    assert!(!rsa(Rsa::Sha2).contains(&Algorithm::Rsa { hash: None }), "never with SHA-1");
    assert!(keys.certificates("web.example.com", 22, Rsa::Sha2).is_empty());
}

fn certificate(
    authority: &PrivateKey,
    key: &PrivateKey,
    kind: CertType,
    principal: &str,
) -> PublicKeyOrCertificate {
    let public = key.public_key().key_data().clone();
    let mut builder = Builder::new_with_random_nonce(&mut safe_rng(), public, NOW - 10, NOW + 10).unwrap();
    builder.cert_type(kind).unwrap().valid_principal(principal).unwrap();
    builder.sign(authority).unwrap().into()
}

#[test]
fn an_authority_speaks_for_its_hosts_only_and_in_time() {
    let (authority, key) = (ed25519(), ed25519());
    let keys = hosts(&format!("@cert-authority *.example.com {}\n", line(&authority)));
    assert!(!keys.certificates("web.example.com", 22, Rsa::Sha2).is_empty());
    let good = certificate(&authority, &key, CertType::Host, "web.example.com");
    assert!(!judge(&keys, &good).unwrap().first_contact);
    assert!(keys.judge("web.example.com", 22, &good, NOW + 11).is_err());
    for bad in [
        certificate(&ed25519(), &key, CertType::Host, "web.example.com"),
        certificate(&authority, &key, CertType::User, "web.example.com"),
        certificate(&authority, &key, CertType::Host, "db.example.com"),
    ] {
        assert!(matches!(judge(&keys, &bad), Err(Kind::HostCertificate { .. })));
    }
}
