use std::process::Command;

use russh::keys::key::safe_rng;
use russh::keys::ssh_key::certificate::{Builder, CertType};
use russh::keys::ssh_key::{Algorithm, EcdsaCurve, LineEnding};

use super::*;

fn random(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::random(&mut safe_rng(), algorithm).unwrap()
}

fn pem(key: &PrivateKey) -> Secret {
    Secret::new(key.to_openssh(LineEnding::LF).unwrap().as_str())
}

fn why(result: Result<Identity, Error>) -> String {
    match result.unwrap_err().kind {
        Kind::UnusableKey { why, .. } => why,
        other => panic!("{other}"),
    }
}

#[test]
fn keys_are_named_by_what_finds_them_again() {
    for algorithm in [Algorithm::Ed25519, Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 }] {
        let key = random(algorithm);
        let identity = Identity::key("deploy", &pem(&key), None).unwrap();
        let shown = format!("{identity:?}");
        assert!(shown.contains("deploy") && shown.contains("SHA256:"), "{shown}");
    }
    assert_eq!(format!("{:?}", Identity::Password(Secret::new("hunter2"))), "password");
}

#[test]
fn rsa_is_left_out_unless_it_is_let_in() {
    // Debug builds take a minute to make one.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "rsa", "-N", "", "-f"]).arg(&file).status();
    assert!(made.unwrap().success());
    let pem_of_rsa = Secret::new(std::fs::read_to_string(file).unwrap());
    let rsa = Identity::key("old", &pem_of_rsa, None).unwrap();
    let refused = rsa.refusal(Rsa::Refused("say please")).unwrap();
    assert!(refused.starts_with("RSA keys are not let in") && refused.ends_with("; say please"), "{refused}");
    assert_eq!(rsa.refusal(Rsa::Sha2), None);
    let other = Identity::key("new", &pem(&random(Algorithm::Ed25519)), None).unwrap();
    assert_eq!(other.refusal(Rsa::Refused("say please")), None);
}

#[test]
fn protected_keys_need_their_passphrase() {
    let key = random(Algorithm::Ed25519).encrypt(&mut safe_rng(), "sesame").unwrap();
    let pem = pem(&key);
    assert!(Identity::key("k", &pem, Some(&Secret::new("sesame"))).is_ok());
    assert!(why(Identity::key("k", &pem, None)).contains("none is given"));
    assert!(why(Identity::key("k", &pem, Some(&Secret::new("x")))).contains("passphrase"));
    assert!(why(Identity::key("k", &Secret::new("hello"), None)).contains("not a private key"));
}

#[test]
fn a_certificate_must_be_of_its_key() {
    let (authority, key, other) =
        (random(Algorithm::Ed25519), random(Algorithm::Ed25519), random(Algorithm::Ed25519));
    let certify = |key: &PrivateKey| {
        let public = key.public_key().key_data().clone();
        let mut builder = Builder::new_with_random_nonce(&mut safe_rng(), public, 0, u64::MAX >> 1).unwrap();
        builder.cert_type(CertType::User).unwrap().valid_principal("deploy").unwrap();
        builder.sign(&authority).unwrap().to_openssh().unwrap()
    };
    let identity = || Identity::key("k", &pem(&key), None).unwrap();
    let Identity::Key { certificate, .. } = identity().certified(&certify(&key)).unwrap() else { panic!() };
    assert!(certificate.is_some());
    assert!(why(identity().certified(&certify(&other))).contains("another key"));
    assert!(why(identity().certified("nonsense")).contains("cannot be read"));
}
