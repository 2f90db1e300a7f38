//! A small certificate authority; the real one is the coordinator's.

use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::pki_types::CertificateDer;

use crate::{COORDINATOR_NAME, Certified, Key, Swap, WallTime, chain_to_pem, wall_now};

pub(super) const DAY: u64 = 24 * 60 * 60;

pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) root: CertificateDer<'static>,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root = params.self_signed(&key).unwrap().der().clone();
        Self { issuer: Issuer::new(params, key), root }
    }

    pub(super) fn root_pem(&self) -> String {
        chain_to_pem([self.root.as_ref()])
    }

    /// Valid from a day ago, and until `not_after`. A coordinator's name, so that it serves both ways.
    pub(super) fn certify(
        &self,
        key: &Key,
        identities: &[&str],
        not_after: WallTime,
    ) -> CertificateDer<'static> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::DnsName(COORDINATOR_NAME.try_into().unwrap())];
        for identity in identities {
            params.subject_alt_names.push(SanType::URI((*identity).try_into().unwrap()));
        }
        params.not_before = SystemTime::from(WallTime(wall_now().0 - DAY)).into();
        params.not_after = SystemTime::from(not_after).into();
        params.serial_number = Some(0x00ab_cdef_u64.into());
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.signed_by(&key.public().to_certify().unwrap(), &self.issuer).unwrap().der().clone()
    }

    /// What a server or client presents: the leaf and the root.
    pub(super) fn certified(&self, identity: &str, not_after: WallTime) -> Certified {
        let key = Key::generate().unwrap();
        let leaf = self.certify(&key, &[identity], not_after);
        Certified::new(vec![leaf, self.root.clone()], &key).unwrap()
    }

    pub(super) fn swap(&self, identity: &str) -> Swap {
        Swap::new(self.certified(identity, tomorrow()))
    }
}

pub(super) fn tomorrow() -> WallTime {
    WallTime(wall_now().0 + DAY)
}

pub(super) fn an_hour_ago() -> WallTime {
    WallTime(wall_now().0 - 60 * 60)
}
