//! Admits client certificates that are good but for their age, so that an agent that slept can renew.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, SignatureScheme};
use std::sync::Arc;
use std::time::Duration;

use crate::Certificate;

/// Asks the verifier inside again, as of the last moment of the leaf, when its only complaint is expiry.
///
/// What an expired certificate is good for is the caller's to decide, by [`Certificate::expired`]; whoever forgets
/// to ask admits everybody who ever had a certificate.
#[derive(Debug)]
pub(crate) struct AdmitsExpired {
    inside: Arc<dyn ClientCertVerifier>,
}

impl AdmitsExpired {
    pub(crate) fn new(inside: Arc<dyn ClientCertVerifier>) -> Self {
        Self { inside }
    }
}

impl ClientCertVerifier for AdmitsExpired {
    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        match self.inside.verify_client_cert(leaf, others, now) {
            Err(error) if is_expiry(&error) => {
                let facts = Certificate::from_der(leaf)
                    .map_err(|_| rustls::Error::InvalidCertificate(CertificateError::BadEncoding))?;
                let last_moment = UnixTime::since_unix_epoch(Duration::from_secs(facts.not_after.0));
                self.inside.verify_client_cert(leaf, others, last_moment)
            }
            answer => answer,
        }
    }

    fn offer_client_auth(&self) -> bool {
        self.inside.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.inside.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inside.root_hint_subjects()
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inside.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inside.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inside.supported_verify_schemes()
    }
}

fn is_expiry(error: &rustls::Error) -> bool {
    matches!(
        error,
        rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. }
        )
    )
}
