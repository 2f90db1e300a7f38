//! Issues certificates. Of whoever asks only the public key is taken: names, addresses and dates are given by the
//! caller, who has them from the replicated state.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyUsagePurpose, SanType,
    SerialNumber,
};
use rustls::pki_types::CertificateDer;
use skep_tls::{
    COORDINATOR_NAME, Certificate, Identity, PublicKey, Subject, WallTime, chain_to_pem, lifetimes,
};
use skep_types::{CoordinatorId, HostId, HostName, PersonName};

use super::{Issuer, Issuers, TrustError, random};

use ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};

/// A fresh certificate and its root: what a server sends, so that a join token can pin the root.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Leaf, then root.
    pub chain: Vec<CertificateDer<'static>>,
    pub leaf: Certificate,
}

impl Issued {
    pub fn pem(&self) -> String {
        chain_to_pem(self.chain.iter().map(AsRef::as_ref))
    }
}

impl Issuers {
    /// For the control port, where a coordinator serves, and where it calls others. `reached_by` are the hosts of its
    /// addresses (IP or name), for those who ask by address.
    pub fn coordinator_control(
        &self,
        id: CoordinatorId,
        reached_by: &[&str],
        key: &PublicKey,
        now: WallTime,
    ) -> Result<Issued, TrustError> {
        self.control.issue(key, self.coordinator(id, reached_by, now)?)
    }

    pub fn coordinator_raft(
        &self,
        id: CoordinatorId,
        key: &PublicKey,
        now: WallTime,
    ) -> Result<Issued, TrustError> {
        self.raft.issue(key, self.coordinator(id, &[], now)?)
    }

    pub fn agent(
        &self,
        id: HostId,
        incarnation: u32,
        key: &PublicKey,
        now: WallTime,
    ) -> Result<Issued, TrustError> {
        let mut params = leaf(now, lifetimes::AGENT_CERTIFICATE, &[ClientAuth]);
        params.subject_alt_names = vec![self.identity(Subject::Host { id, incarnation })?];
        self.control.issue(key, params)
    }

    /// For an agent's Docker front door: Docker clients ask for the address in DOCKER_HOST.
    pub fn docker_door(
        &self,
        name: &HostName,
        addresses: &[IpAddr],
        key: &PublicKey,
        now: WallTime,
    ) -> Result<Issued, TrustError> {
        let mut params = leaf(now, lifetimes::AGENT_CERTIFICATE, &[ServerAuth]);
        params.subject_alt_names = addresses.iter().copied().map(SanType::IpAddress).collect();
        params.subject_alt_names.push(reached_by(name.as_str())?);
        self.docker.issue(key, params)
    }

    pub fn person(
        &self,
        name: &PersonName,
        generation: u64,
        key: &PublicKey,
        now: WallTime,
    ) -> Result<Issued, TrustError> {
        let mut params = leaf(now, lifetimes::PERSON_CERTIFICATE, &[ClientAuth]);
        params.distinguished_name.push(DnType::CommonName, name.as_str());
        params.subject_alt_names = vec![self.identity(Subject::Person { name: name.clone(), generation })?];
        self.control.issue(key, params)
    }

    /// For a person's plain `docker`. Its serial is what a front door's denylist names.
    pub fn docker_client(
        &self,
        name: &PersonName,
        key: &PublicKey,
        now: WallTime,
    ) -> Result<Issued, TrustError> {
        let mut params = leaf(now, lifetimes::DOCKER_CLIENT_CERTIFICATE, &[ClientAuth]);
        params.distinguished_name.push(DnType::CommonName, name.as_str());
        self.docker.issue(key, params)
    }

    fn coordinator(
        &self,
        id: CoordinatorId,
        hosts: &[&str],
        now: WallTime,
    ) -> Result<CertificateParams, TrustError> {
        let mut params = leaf(now, lifetimes::COORDINATOR_CERTIFICATE, &[ServerAuth, ClientAuth]);
        params.subject_alt_names =
            vec![self.identity(Subject::Coordinator(id))?, reached_by(COORDINATOR_NAME)?];
        for host in hosts {
            params.subject_alt_names.push(reached_by(host)?);
        }
        Ok(params)
    }

    fn identity(&self, subject: Subject) -> Result<SanType, TrustError> {
        let identity = Identity { cluster: self.cluster.clone(), subject };
        Ok(SanType::URI(identity.to_string().try_into()?))
    }
}

impl Issuer {
    fn issue(&self, key: &PublicKey, mut params: CertificateParams) -> Result<Issued, TrustError> {
        params.serial_number = Some(serial()?);
        let certificate = params.signed_by(&key.to_certify()?, &self.signer)?;
        let leaf = Certificate::from_der(certificate.der())?;
        Ok(Issued { chain: vec![certificate.der().clone(), self.root().clone()], leaf })
    }
}

fn leaf(now: WallTime, life: Duration, usages: &[ExtendedKeyUsagePurpose]) -> CertificateParams {
    let mut params = dated(now, life);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = usages.to_vec();
    // Python from 3.13 on verifies strictly and wants it.
    params.use_authority_key_identifier_extension = true;
    params
}

/// Nothing but the dates, and an empty subject.
pub(super) fn dated(now: WallTime, life: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.not_before = SystemTime::from(now.before(lifetimes::BACKDATED)).into();
    params.not_after = SystemTime::from(now.after(life)).into();
    params
}

/// 16 bytes, random but for the first two bits: positive, and always of the same length.
pub(super) fn serial() -> Result<SerialNumber, TrustError> {
    let mut bytes: [u8; 16] = random()?;
    bytes[0] = bytes[0] & 0x3f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn reached_by(host: &str) -> Result<SanType, TrustError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    // 253: the longest name DNS has.
    if host.is_empty() || host.len() > 253 || !host.bytes().all(plain) {
        return Err(TrustError::Name { text: host.chars().take(253).collect() });
    }
    Ok(SanType::DnsName(host.try_into()?))
}

#[cfg(test)]
mod tests;
