//! A small certificate authority; the real one is the coordinator's.

use std::sync::atomic::{AtomicU64, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::pki_types::CertificateDer;
use skep_tls::{Certified, Key, PublicKey, Swap, chain_to_pem};

pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    serial: AtomicU64,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root = params.self_signed(&key).unwrap().der().clone();
        Self { issuer: Issuer::new(params, key), root, serial: AtomicU64::new(0xab00) }
    }

    pub(crate) fn root_pem(&self) -> String {
        chain_to_pem([self.root.as_ref()])
    }

    /// A chain in PEM for `key`, of the next serial, that serves both ways.
    pub(crate) fn certify(&self, key: &PublicKey, name: &str) -> String {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::DnsName(name.try_into().unwrap())];
        params.serial_number = Some(self.serial.fetch_add(1, Ordering::Relaxed).into());
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let leaf = params.signed_by(&key.to_certify().unwrap(), &self.issuer).unwrap();
        chain_to_pem([leaf.der().as_ref(), self.root.as_ref()])
    }

    pub(crate) fn swap(&self, name: &str) -> Swap {
        let key = Key::generate().unwrap();
        Swap::new(Certified::from_pem(&self.certify(key.public(), name), &key).unwrap())
    }
}
