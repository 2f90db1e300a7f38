//! Whether the key a server shows is the one to expect. Pure, but for the verdict's log line.

use std::sync::Arc;

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::{Algorithm, Certificate, EcdsaCurve, Fingerprint, HashAlg};
use russh::keys::{PublicKey, PublicKeyOrCertificate};

use crate::known_hosts::{KnownHosts, Marker, matches};
use crate::{Kind, Rsa};

/// What is known of a server's key before the first contact. Any one match is enough; where nothing at all is known
/// of the server, `stranger` decides.
#[derive(Debug, Clone, Default)]
pub struct HostKeys {
    /// Recorded at an earlier contact: `ssh-ed25519 AAAA…`.
    pub pinned: Vec<PublicKey>,
    /// Given by a person: `SHA256:…`.
    pub fingerprints: Vec<Fingerprint>,
    pub known_hosts: Arc<KnownHosts>,
    pub stranger: Stranger,
}

/// What to do where nothing is known of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stranger {
    /// Believe it, and report its key so that it can be pinned.
    #[default]
    Record,
    Refuse,
}

/// The key a server was accepted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenKey {
    /// As one line, to be pinned with [`HostKeys::pin`].
    pub line: String,
    /// `ssh-ed25519 SHA256:…`, for people.
    pub fingerprint: String,
    /// Nothing was known of the server before: this contact was taken on trust.
    pub first_contact: bool,
}

impl HostKeys {
    /// Adds a key out of a [`SeenKey::line`]. What is no key is an error: a pin that is dropped would be no pin.
    pub fn pin(&mut self, line: &str) -> Result<(), Kind> {
        let why = "the recorded host key cannot be read".to_owned();
        let key = PublicKey::from_openssh(line)
            .map_err(|_| Kind::Protocol { address: "the machine".into(), why })?;
        self.pinned.push(key);
        Ok(())
    }

    /// Adds a fingerprint as `ssh-keygen -l` prints it: `SHA256:…`.
    pub fn expect_fingerprint(&mut self, text: &str) -> Result<(), String> {
        let fingerprint = text.parse::<Fingerprint>().ok().filter(|fingerprint| fingerprint.is_sha256());
        let refused = || format!("{text:?} is no fingerprint like SHA256:…");
        self.fingerprints.push(fingerprint.ok_or_else(refused)?);
        Ok(())
    }

    /// The algorithms to ask for, those of known keys first: a server then shows a key that can be compared.
    pub(crate) fn algorithms(&self, host: &str, port: u16, rsa: Rsa) -> Vec<Algorithm> {
        let known: Vec<Algorithm> = self.known(host, port).map(PublicKey::algorithm).collect();
        let kind = |algorithm: &Algorithm| algorithm.clone().with_any_hash();
        let mut offered = all_algorithms(rsa);
        offered.sort_by_key(|algorithm| !known.iter().any(|known| kind(known) == kind(algorithm)));
        offered
    }

    /// The algorithms of certificates to ask for: none where no authority is known, or a server could not be told.
    pub(crate) fn certificates(&self, host: &str, port: u16, rsa: Rsa) -> Vec<Algorithm> {
        let authorities = self.known_hosts.keys(host, port, Marker::Authority).next().is_some();
        if authorities { all_algorithms(rsa) } else { Vec::new() }
    }

    /// The verdict about what `host` shows. `now` in seconds since 1970.
    pub(crate) fn judge(
        &self,
        host: &str,
        port: u16,
        shown: &PublicKeyOrCertificate,
        now: u64,
    ) -> Result<SeenKey, Kind> {
        let address = if port == 22 { host.to_owned() } else { format!("{host}:{port}") };
        let key = shown.public_key();
        let text = describe(&key);
        let revoked: Vec<&PublicKey> = self.known_hosts.keys(host, port, Marker::Revoked).collect();
        let signed_by = shown.certificate().map(Certificate::signature_key);
        let is_revoked =
            |bad: &&PublicKey| bad.key_data() == key.key_data() || Some(bad.key_data()) == signed_by;
        if revoked.iter().any(is_revoked) {
            return Err(Kind::HostKeyRevoked { address, shown: text });
        }
        let seen = |first_contact| SeenKey {
            line: key.to_openssh().unwrap_or_default(),
            fingerprint: text.clone(),
            first_contact,
        };
        if let Some(certificate) = shown.certificate() {
            return self
                .judge_certificate(host, port, certificate, now)
                .map(|()| seen(false))
                .map_err(|why| Kind::HostCertificate { address, why });
        }
        let fingerprint = key.fingerprint(HashAlg::Sha256);
        let expected = self.known(host, port).any(|known| known.key_data() == key.key_data());
        if expected || self.fingerprints.contains(&fingerprint) {
            return Ok(seen(false));
        }
        let mut known: Vec<String> = self.known(host, port).map(describe).collect();
        known.extend(self.fingerprints.iter().map(Fingerprint::to_string));
        match self.stranger {
            _ if !known.is_empty() => Err(Kind::HostKeyChanged { address, known, shown: text }),
            Stranger::Record => Ok(seen(true)),
            Stranger::Refuse => Err(Kind::HostKeyUnknown { address, shown: text }),
        }
    }

    fn known<'a>(&'a self, host: &str, port: u16) -> impl Iterator<Item = &'a PublicKey> {
        self.pinned.iter().chain(self.known_hosts.keys(host, port, Marker::Key))
    }

    /// Signed by an authority for this host, for hosts, naming this one, and in time.
    fn judge_certificate(
        &self,
        host: &str,
        port: u16,
        certificate: &Certificate,
        now: u64,
    ) -> Result<(), String> {
        let authorities: Vec<Fingerprint> = self
            .known_hosts
            .keys(host, port, Marker::Authority)
            .map(|key| key.fingerprint(HashAlg::Sha256))
            .collect();
        if certificate.cert_type() != CertType::Host {
            return Err("it is a person's, not a host's".to_owned());
        }
        if !certificate.critical_options().is_empty() {
            return Err("it has options that are not known here".to_owned());
        }
        let host = host.to_lowercase();
        let names = certificate.valid_principals();
        if !names.iter().any(|name| matches(&name.to_lowercase(), &host)) {
            return Err(format!("it is for {:?}", names.join(", ")));
        }
        let invalid = "no authority of known_hosts signed it, or its time is not now";
        certificate.validate_at(now, &authorities).map_err(|_| invalid.to_owned())
    }
}

/// The key's type and fingerprint, as `ssh-keygen -l` prints them.
fn describe(key: &PublicKey) -> String {
    format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256))
}

fn all_algorithms(rsa: Rsa) -> Vec<Algorithm> {
    let mut algorithms = vec![Algorithm::Ed25519];
    for curve in [EcdsaCurve::NistP256, EcdsaCurve::NistP384, EcdsaCurve::NistP521] {
        algorithms.push(Algorithm::Ecdsa { curve });
    }
    if rsa.is_let_in() {
        algorithms.push(Algorithm::Rsa { hash: Some(HashAlg::Sha512) });
        algorithms.push(Algorithm::Rsa { hash: Some(HashAlg::Sha256) });
    }
    algorithms
}

/// RSA keys are one kind of key, whichever hash signs.
trait AnyHash {
    fn with_any_hash(self) -> Self;
}

impl AnyHash for Algorithm {
    fn with_any_hash(self) -> Self {
        if matches!(self, Self::Rsa { .. }) { Self::Rsa { hash: None } } else { self }
    }
}

#[cfg(test)]
mod tests;
