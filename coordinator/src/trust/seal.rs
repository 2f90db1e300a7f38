//! Envelope sealing: how secrets stand in the log, in snapshots and in backups.
//!
//! ```text
//! cluster key ─HKDF─► wrapping key ─AES-256-GCM─► data key (random, one for each secret) ─AES-256-GCM─► secret
//!
//! format (4, big endian) │ nonce (12) │ data key (32 + 16) │ nonce (12) │ secret (n + 16)
//! ```
//!
//! Both layers are bound to the cluster, the resource and the format, so that a sealed secret opens only in the place
//! it was sealed for. A new cluster key needs the data keys wrapped again, not the secrets.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use skep_types::ClusterId;
use zeroize::Zeroizing;

use super::{TrustError, random};

const FORMAT: u32 = 1;
const KEY_LEN: usize = 32;
const TAG_LEN: usize = 16;
const WRAPPED_LEN: usize = NONCE_LEN + KEY_LEN + TAG_LEN;
/// What the wrapping key is for: a key derived for another purpose from the same cluster key is another one.
const PURPOSE: &[u8] = b"skep wrapping key, format 1";
const MARKING: &[u8] = b"skep fingerprint key, format 1";

type KeyBytes = Zeroizing<[u8; KEY_LEN]>;

/// Seals and opens the secrets of one cluster.
///
/// Data keys are wrapped under random nonces of 96 bits: safe for 2^32 secrets of one cluster key.
#[derive(Clone)]
pub struct Sealer {
    cluster: ClusterId,
    wrapping: KeyBytes,
    /// For fingerprints.
    marking: KeyBytes,
}

impl Sealer {
    pub(super) fn new(cluster_key: &[u8; KEY_LEN], cluster: &ClusterId) -> Result<Self, TrustError> {
        let secret = Salt::new(HKDF_SHA256, &[]).extract(cluster_key);
        let derived = |purpose: &[u8]| -> Result<KeyBytes, TrustError> {
            let mut key = Zeroizing::new([0; KEY_LEN]);
            let info = [purpose, cluster.as_str().as_bytes()];
            secret
                .expand(&info, DerivedKey)
                .and_then(|okm| okm.fill(key.as_mut_slice()))
                .map_err(|_| TrustError::Seal { resource: "a key of the cluster".to_owned() })?;
            Ok(key)
        };
        Ok(Self { cluster: cluster.clone(), wrapping: derived(PURPOSE)?, marking: derived(MARKING)? })
    }

    /// The same for the same secret, on every coordinator; without the cluster key nobody can try what it was made of.
    pub fn fingerprint(&self, secret: &[u8]) -> [u8; 32] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, self.marking.as_slice()), secret);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(tag.as_ref());
        bytes
    }

    /// Seals for `resource`, a text that says where the secret belongs, such as `issuer/raft`.
    pub fn seal(&self, resource: &str, secret: &[u8]) -> Result<Vec<u8>, TrustError> {
        let failed = || TrustError::Seal { resource: resource.to_owned() };
        let data_key: KeyBytes = Zeroizing::new(random()?);
        let bound_to = self.bound_to(resource);
        let mut sealed = FORMAT.to_be_bytes().to_vec();
        sealed.extend(encrypt(&self.wrapping, &bound_to, data_key.as_slice()).ok_or_else(failed)?);
        sealed.extend(encrypt(&data_key, &bound_to, secret).ok_or_else(failed)?);
        Ok(sealed)
    }

    /// Opens what was sealed for the same cluster and `resource`.
    pub fn open(&self, resource: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, TrustError> {
        let failed = || TrustError::Unseal { resource: resource.to_owned() };
        let (format, rest) = sealed.split_first_chunk().ok_or_else(failed)?;
        let format = u32::from_be_bytes(*format);
        if format != FORMAT {
            return Err(TrustError::UnknownFormat { resource: resource.to_owned(), format });
        }
        let (wrapped, secret) = rest.split_at_checked(WRAPPED_LEN).ok_or_else(failed)?;
        let bound_to = self.bound_to(resource);
        let data_key = decrypt(&self.wrapping, &bound_to, wrapped).ok_or_else(failed)?;
        let data_key: KeyBytes = Zeroizing::new(data_key.as_slice().try_into().map_err(|_| failed())?);
        decrypt(&data_key, &bound_to, secret).ok_or_else(failed)
    }

    /// A cluster id has at most 63 bytes and no NUL, so that no two pairs of cluster and resource read the same.
    fn bound_to(&self, resource: &str) -> Vec<u8> {
        let mut text = FORMAT.to_be_bytes().to_vec();
        text.extend(self.cluster.as_str().as_bytes());
        text.push(0);
        text.extend(resource.as_bytes());
        text
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({})", self.cluster)
    }
}

/// Tells HKDF how long our keys are.
struct DerivedKey;

impl KeyType for DerivedKey {
    fn len(&self) -> usize {
        KEY_LEN
    }
}

/// Nonce, ciphertext and tag.
fn encrypt(key: &KeyBytes, bound_to: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, key.as_slice()).ok()?;
    // Room for the tag from the start: growing would leave a copy of the plain text behind in freed memory.
    let mut text = Vec::with_capacity(plain.len() + TAG_LEN);
    text.extend_from_slice(plain);
    let nonce = key.seal_in_place_append_tag(Aad::from(bound_to), &mut text).ok()?;
    Some([nonce.as_ref().as_slice(), &text].concat())
}

fn decrypt(key: &KeyBytes, bound_to: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, key.as_slice()).ok()?;
    let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut text = Zeroizing::new(text.to_vec());
    let length = key.open_in_place(Nonce::from(nonce), Aad::from(bound_to), &mut text).ok()?.len();
    text.truncate(length);
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ClusterKey;
    use super::*;

    fn sealer() -> Sealer {
        ClusterKey::generate().unwrap().sealer(&"c1".parse().unwrap()).unwrap()
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_again(resource in ".{0,40}", secret in proptest::collection::vec(any::<u8>(), 0..300)) {
            let sealer = sealer();
            let sealed = sealer.seal(&resource, &secret).unwrap();
            let opened = sealer.open(&resource, &sealed).unwrap();
            prop_assert_eq!(opened.as_slice(), secret.as_slice());
        }

        #[test]
        fn any_flipped_bit_is_refused(at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let sealer = sealer();
            let mut sealed = sealer.seal("r", b"a secret").unwrap();
            let at = at.index(sealed.len());
            sealed[at] ^= 1 << bit;
            prop_assert!(sealer.open("r", &sealed).is_err());
        }

        #[test]
        fn any_shorter_text_is_refused(keep in any::<prop::sample::Index>()) {
            let sealer = sealer();
            let sealed = sealer.seal("r", b"a secret").unwrap();
            prop_assert!(sealer.open("r", &sealed[..keep.index(sealed.len())]).is_err());
        }

        #[test]
        fn another_resource_is_refused(a in ".{0,20}", b in ".{0,20}") {
            prop_assume!(a != b);
            let sealer = sealer();
            prop_assert!(sealer.open(&b, &sealer.seal(&a, b"a secret").unwrap()).is_err());
        }
    }

    #[test]
    fn another_key_and_another_cluster_are_refused() {
        let key = ClusterKey::generate().unwrap();
        let ours = key.sealer(&"ours".parse().unwrap()).unwrap();
        let sealed = ours.seal("r", b"a secret").unwrap();
        assert!(key.sealer(&"theirs".parse().unwrap()).unwrap().open("r", &sealed).is_err());
        assert!(sealer().open("r", &sealed).is_err());
    }

    #[test]
    fn a_later_format_is_named() {
        let sealer = sealer();
        let mut sealed = sealer.seal("issuer/raft", b"a secret").unwrap();
        sealed[3] = 2;
        let error = sealer.open("issuer/raft", &sealed).unwrap_err();
        assert_eq!(error.to_string(), "issuer/raft is sealed in format 2, which this version does not know");
    }

    #[test]
    fn a_fingerprint_tells_secrets_apart_and_is_the_clusters_own() {
        let (ours, theirs) = (sealer(), sealer());
        assert_eq!(ours.fingerprint(b"a secret"), ours.fingerprint(b"a secret"));
        assert_ne!(ours.fingerprint(b"a secret"), ours.fingerprint(b"another"));
        assert_ne!(ours.fingerprint(b"a secret"), theirs.fingerprint(b"a secret"));
    }

    #[test]
    fn sealing_twice_shows_nothing_in_common() {
        let sealer = sealer();
        let (a, b) = (sealer.seal("r", b"a secret").unwrap(), sealer.seal("r", b"a secret").unwrap());
        assert_ne!(a[4..], b[4..]);
        assert!(!a.windows(8).any(|window| window == b"a secret"));
    }
}
