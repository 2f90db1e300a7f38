//! Private keys, and the public ones that travel.

use std::fmt;
use std::path::Path;

use rcgen::{CertificateParams, DistinguishedName, KeyPair, PublicKeyData, SubjectPublicKeyInfo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use skep_types::Digest;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;
use zeroize::Zeroizing;

use crate::{Error, sha256, write_private};

/// An ECDSA P-256 request is under 300 bytes and an RSA 4096 one under 1.3 KiB; nothing sensible is longer.
const REQUEST_BYTES: usize = 4 * 1024;

/// An ECDSA P-256 private key. It is made where it is used, and never travels.
pub struct Key {
    pkcs8: Zeroizing<Vec<u8>>,
    public: PublicKey,
}

impl Key {
    pub fn generate() -> Result<Self, Error> {
        KeyPair::generate().map(|pair| Self::of(&pair)).map_err(Error::key)
    }

    fn of(pair: &KeyPair) -> Self {
        Self {
            pkcs8: Zeroizing::new(pair.serialize_der()),
            public: PublicKey::of(pair.subject_public_key_info()),
        }
    }

    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let der =
            PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| Error::key(error.to_string()))?;
        KeyPair::try_from(&der).map(|pair| Self::of(&pair)).map_err(Error::key)
    }

    pub fn from_pkcs8(der: &[u8]) -> Result<Self, Error> {
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(der));
        KeyPair::try_from(&der).map(|pair| Self::of(&pair)).map_err(Error::key)
    }

    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        Ok(Zeroizing::new(self.pair()?.serialize_pem()))
    }

    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    pub fn load(path: &Path) -> Result<Self, Error> {
        let pem =
            std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::from_pem(&Zeroizing::new(pem))
    }

    /// Mode 0600, there whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        write_private(path, self.to_pem()?.as_bytes())
    }

    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// SHA-256 of the SubjectPublicKeyInfo: the key's name in the log.
    pub fn public_key_digest(&self) -> Digest {
        self.public.digest()
    }

    /// PKCS#10, DER, with an empty subject: who the key belongs to is the issuer's to say.
    pub fn signing_request_der(&self) -> Result<Vec<u8>, Error> {
        let mut request = CertificateParams::default();
        request.distinguished_name = DistinguishedName::new();
        let request = request.serialize_request(&self.pair()?).map_err(Error::key)?;
        Ok(request.der().to_vec())
    }

    /// The signing form, for an issuer.
    pub fn pair(&self) -> Result<KeyPair, Error> {
        KeyPair::try_from(&self.private_der()).map_err(Error::key)
    }

    pub(crate) fn private_der(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.pkcs8.to_vec()).into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.public.digest())
    }
}

/// A SubjectPublicKeyInfo.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    spki_der: Vec<u8>,
    digest: Digest,
}

impl PublicKey {
    pub(crate) fn of(spki_der: Vec<u8>) -> Self {
        let digest = sha256(&spki_der);
        Self { spki_der, digest }
    }

    pub fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }

    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The form an issuer signs for.
    pub fn to_certify(&self) -> Result<SubjectPublicKeyInfo, Error> {
        SubjectPublicKeyInfo::from_der(&self.spki_der).map_err(Error::request)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.digest)
    }
}

/// The public key of a PKCS#10 request whose sender proved, by signing it, to hold the private one.
///
/// Everything else in the request is ignored: names and addresses come from the replicated state.
pub fn public_key_of_request(der: &[u8]) -> Result<PublicKey, Error> {
    if der.len() > REQUEST_BYTES {
        return Err(Error::request(format!("{} bytes are more than {REQUEST_BYTES}", der.len())));
    }
    let (rest, request) =
        X509CertificationRequest::from_der(der).map_err(|error| Error::request(error.to_string()))?;
    if !rest.is_empty() {
        return Err(Error::request("bytes follow the request"));
    }
    request.verify_signature().map_err(|error| Error::request(error.to_string()))?;
    let key = PublicKey::of(request.certification_request_info.subject_pki.raw.to_vec());
    key.to_certify()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn saved_and_loaded_it_is_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.key");
        let key = Key::generate().unwrap();
        key.save(&path).unwrap();
        assert_eq!(Key::load(&path).unwrap().public_key_digest(), key.public_key_digest());
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Key::load(Path::new("/nonexistent/agent.key")).unwrap_err();
        assert_eq!(error.to_string(), "cannot read /nonexistent/agent.key");
    }

    #[test]
    fn debug_shows_no_private_byte() {
        let key = Key::generate().unwrap();
        assert_eq!(format!("{key:?}"), format!("Key({})", key.public_key_digest()));
    }

    #[test]
    fn a_request_proves_the_key_and_says_nothing_else() {
        let key = Key::generate().unwrap();
        let request = key.signing_request_der().unwrap();
        assert_eq!(&public_key_of_request(&request).unwrap(), key.public());
        let (_, parsed) = X509CertificationRequest::from_der(&request).unwrap();
        assert_eq!(parsed.certification_request_info.subject.iter().count(), 0);
    }

    #[test]
    fn a_request_for_somebody_elses_key_is_refused() {
        let (mine, theirs) = (Key::generate().unwrap(), Key::generate().unwrap());
        let mut request = mine.signing_request_der().unwrap();
        let spki = mine.public().spki_der();
        let at = request.windows(spki.len()).position(|window| window == spki).unwrap();
        request[at..at + spki.len()].copy_from_slice(theirs.public().spki_der());
        assert!(matches!(public_key_of_request(&request), Err(Error::Request(_))));
    }

    proptest! {
        #[test]
        fn arbitrary_requests_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = public_key_of_request(&bytes);
        }

        #[test]
        fn a_bent_request_gets_no_other_key_in(at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let key = Key::generate().unwrap();
            let mut request = key.signing_request_der().unwrap();
            let at = at.index(request.len());
            request[at] ^= 1 << bit;
            // What follows the signed part may bend unseen.
            if let Ok(read) = public_key_of_request(&request) {
                prop_assert_eq!(&read, key.public());
            }
        }
    }
}
