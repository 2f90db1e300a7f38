//! The keys that an account trusts. AWS publishes them as certificates, one a region, that nobody else signed.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use x509_parser::pem::Pem;
use x509_parser::public_key::PublicKey;

use super::signed::Signed;

/// One for the region, and one that replaces it; the setting has no room for many more.
const MAX: usize = 4;
/// What the identity document's signature of this kind is made with, at least.
const BITS: usize = 2048;

#[derive(Debug)]
pub(super) struct Certificates {
    /// DER: RSAPublicKey.
    keys: Vec<Vec<u8>>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("it holds no PEM certificate")]
    Empty,
    #[error("it holds more than {MAX} certificates")]
    TooMany,
    #[error("a certificate in it cannot be read")]
    Unreadable,
    #[error(
        "a certificate in it is not of an RSA key of {BITS} bits: AWS publishes three kinds, take RSA-2048"
    )]
    Kind,
}

impl Certificates {
    /// How long a certificate is good is not looked at, as AWS advises: it is trusted because the account names it.
    pub(super) fn from_pem(text: &str) -> Result<Self, Unusable> {
        let mut keys = Vec::new();
        for pem in Pem::iter_from_buffer(text.as_bytes()) {
            if keys.len() == MAX {
                return Err(Unusable::TooMany);
            }
            keys.push(key(&pem.map_err(|_| Unusable::Unreadable)?)?);
        }
        if keys.is_empty() { Err(Unusable::Empty) } else { Ok(Self { keys }) }
    }

    pub(super) fn signed(&self, signed: &Signed) -> bool {
        self.keys.iter().any(|key| {
            let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
            key.verify(&signed.attributes, &signed.signature).is_ok()
        })
    }
}

fn key(pem: &Pem) -> Result<Vec<u8>, Unusable> {
    let certificate = pem.parse_x509().map_err(|_| Unusable::Unreadable)?;
    let key = certificate.public_key();
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) if rsa.key_size() >= BITS => Ok(key.subject_public_key.data.to_vec()),
        Ok(_) => Err(Unusable::Kind),
        Err(_) => Err(Unusable::Unreadable),
    }
}
