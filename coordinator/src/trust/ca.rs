//! The cluster's certificate authorities: one for each world that must not be able to enter another.
//!
//! | issuer | certifies | so that |
//! |---|---|---|
//! | raft | coordinators to each other | no agent or person reaches the log |
//! | control | coordinators, agents, people | |
//! | docker | front doors and Docker clients | Docker access gives no say in the cluster |

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::pki_types::CertificateDer;
use skep_core::state::Issuers as SealedIssuers;
use skep_tls::{Key, WallTime, chain_to_pem, lifetimes, sha256};
use skep_types::{ClusterId, Digest, SealedIssuer};

use super::issue::{dated, serial};
use super::{Sealer, TrustError};

/// All three, able to sign. Every coordinator holds them in memory, so that certificates are renewed without quorum.
#[derive(Debug)]
pub struct Issuers {
    pub cluster: ClusterId,
    pub raft: Issuer,
    pub control: Issuer,
    pub docker: Issuer,
}

/// One self-signed root and its key.
#[derive(Debug)]
pub struct Issuer {
    root: CertificateDer<'static>,
    pub(super) signer: rcgen::Issuer<'static, KeyPair>,
}

impl Issuers {
    /// Made once, when the cluster is; the sealed form goes into its first entry.
    pub fn create(sealer: &Sealer, cluster: &ClusterId, now: WallTime) -> Result<SealedIssuers, TrustError> {
        let create = |name| Issuer::create(sealer, cluster, name, now);
        Ok(SealedIssuers { raft: create("raft")?, control: create("control")?, docker: create("docker")? })
    }

    pub fn open(sealer: &Sealer, cluster: &ClusterId, sealed: &SealedIssuers) -> Result<Self, TrustError> {
        Ok(Self {
            cluster: cluster.clone(),
            raft: Issuer::open(sealer, "raft", &sealed.raft)?,
            control: Issuer::open(sealer, "control", &sealed.control)?,
            docker: Issuer::open(sealer, "docker", &sealed.docker)?,
        })
    }
}

impl Issuer {
    fn create(
        sealer: &Sealer,
        cluster: &ClusterId,
        name: &str,
        now: WallTime,
    ) -> Result<SealedIssuer, TrustError> {
        let key = Key::generate()?;
        let root = root_params(cluster, name, now)?.self_signed(&key.pair()?)?;
        Ok(SealedIssuer {
            certificate_der: root.der().to_vec(),
            sealed_key: sealer.seal(&resource(name), key.pkcs8())?,
        })
    }

    fn open(sealer: &Sealer, name: &str, sealed: &SealedIssuer) -> Result<Self, TrustError> {
        let key = Key::from_pkcs8(&sealer.open(&resource(name), &sealed.sealed_key)?)?;
        let root = CertificateDer::from(sealed.certificate_der.clone());
        let signer = rcgen::Issuer::from_ca_cert_der(&root, key.pair()?)?;
        Ok(Self { root, signer })
    }

    pub fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    pub fn root_pem(&self) -> String {
        chain_to_pem([self.root.as_ref()])
    }

    /// Of the root's DER: what a join token carries.
    pub fn root_digest(&self) -> Digest {
        sha256(&self.root)
    }
}

fn resource(name: &str) -> String {
    format!("issuer/{name}")
}

fn root_params(cluster: &ClusterId, name: &str, now: WallTime) -> Result<CertificateParams, TrustError> {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, cluster.as_str());
    subject.push(DnType::CommonName, format!("skep {name} authority"));
    let mut params = dated(now, lifetimes::ISSUER_CERTIFICATE);
    params.distinguished_name = subject;
    params.serial_number = Some(serial()?);
    // It signs leaves and nothing else: there are no intermediate authorities to be stolen.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}
