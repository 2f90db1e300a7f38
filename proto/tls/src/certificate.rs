//! What a certificate says, and chains as text.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use skep_types::Digest;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::{Error, Identity, PublicKey, WallTime, lifetimes};

/// A leaf and its root, and room for one that somebody else's authority would add.
const CHAIN_CERTIFICATES: usize = 4;

/// The parts of a certificate that decisions look at. Whether it may be believed is the TLS handshake's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// None for the authorities, the Docker front door and Docker clients.
    pub identity: Option<Identity>,
    pub not_before: WallTime,
    pub not_after: WallTime,
    pub public_key: PublicKey,
    /// Lower-case hex, without leading zeros, as denylists write it.
    pub serial: String,
}

impl Certificate {
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let (rest, parsed) =
            X509Certificate::from_der(der).map_err(|error| Error::certificate(error.to_string()))?;
        if !rest.is_empty() {
            return Err(Error::certificate("bytes follow the certificate"));
        }
        let validity = parsed.validity();
        Ok(Self {
            identity: identity(&parsed)?,
            not_before: wall_time(validity.not_before.timestamp()),
            not_after: wall_time(validity.not_after.timestamp()),
            public_key: PublicKey::of(parsed.public_key().raw.to_vec()),
            serial: format!("{:x}", parsed.tbs_certificate.serial),
        })
    }

    pub fn expired(&self, now: WallTime) -> bool {
        now > self.not_after
    }

    /// Until half of its life is over; see [`lifetimes::renew_after`].
    pub fn renew_after(&self, now: WallTime) -> std::time::Duration {
        lifetimes::renew_after(self.not_before, self.not_after, now)
    }
}

/// Times before 1970 are none of ours: taken as long ago.
fn wall_time(seconds: i64) -> WallTime {
    WallTime(u64::try_from(seconds).unwrap_or(0))
}

/// A certificate that names two identities would speak for whichever a reader happens to look at: refused.
fn identity(certificate: &X509Certificate<'_>) -> Result<Option<Identity>, Error> {
    let names =
        certificate.subject_alternative_name().map_err(|error| Error::certificate(error.to_string()))?;
    let mut uris = names.iter().flat_map(|names| &names.value.general_names).filter_map(|name| match name {
        GeneralName::URI(uri) => Some(*uri),
        _ => None,
    });
    let Some(uri) = uris.next() else { return Ok(None) };
    if uris.next().is_some() {
        return Err(Error::certificate("it names more than one identity"));
    }
    uri.parse().map(Some).map_err(Error::certificate)
}

/// The certificates of a PEM text, leaf first. At least one, at most four.
pub fn chain_from_pem(pem: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
        .take(CHAIN_CERTIFICATES + 1)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::certificate(error.to_string()))?;
    match chain.len() {
        0 => Err(Error::certificate("the text holds no PEM certificate")),
        1..=CHAIN_CERTIFICATES => Ok(chain),
        _ => Err(Error::certificate(format!("the text holds more than {CHAIN_CERTIFICATES} certificates"))),
    }
}

/// PEM, in the order given.
pub fn chain_to_pem<'a>(chain: impl IntoIterator<Item = &'a [u8]>) -> String {
    chain.into_iter().map(|der| pem("CERTIFICATE", der)).collect()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
    let mut lines = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        lines.push_str(line);
        lines.push('\n');
        rest = after;
    }
    lines.push_str(&format!("-----END {label}-----\n"));
    lines
}

/// Of bytes that are compared by digest: certificates, public keys, tokens.
pub fn sha256(bytes: &[u8]) -> Digest {
    let mut digest = Digest([0; 32]);
    digest.0.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref());
    digest
}
