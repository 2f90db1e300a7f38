//! A certificate with its key, and the handle through which it is replaced while connections go on.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::{Certificate, Error, Key, chain_from_pem, provider};

/// A chain, leaf first, and the key of its leaf. That they belong together is checked when it is made.
#[derive(Clone)]
pub struct Certified {
    leaf: Certificate,
    certified: Arc<CertifiedKey>,
}

impl Certified {
    pub fn new(chain: Vec<CertificateDer<'static>>, key: &Key) -> Result<Self, Error> {
        let leaf = chain.first().ok_or_else(|| Error::certificate("the chain is empty"))?;
        let leaf = Certificate::from_der(leaf)?;
        let certified =
            CertifiedKey::from_der(chain, key.private_der(), &provider()).map_err(Error::configuration)?;
        Ok(Self { leaf, certified: Arc::new(certified) })
    }

    pub fn from_pem(chain: &str, key: &Key) -> Result<Self, Error> {
        Self::new(chain_from_pem(chain)?, key)
    }

    pub fn load(chain: &Path, key: &Key) -> Result<Self, Error> {
        let pem = std::fs::read_to_string(chain)
            .map_err(|source| Error::Read { path: chain.to_owned(), source })?;
        Self::from_pem(&pem, key)
    }

    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }
}

impl fmt::Debug for Certified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certified").field(&self.leaf).finish()
    }
}

/// What a process presents, as server and as client: clones share it, and every handshake asks it anew.
///
/// Empty, a client connects without a certificate (first contact), and a server refuses handshakes.
#[derive(Debug, Clone, Default)]
pub struct Swap(Arc<RwLock<Option<Certified>>>);

impl Swap {
    pub fn new(certified: Certified) -> Self {
        Self(Arc::new(RwLock::new(Some(certified))))
    }

    pub fn empty() -> Self {
        Self::default()
    }

    /// From the next handshake on. Connections that stand keep what they were made with.
    pub fn set(&self, certified: Certified) {
        // A poisoned lock still holds a whole value: the only writer is this assignment.
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(certified);
    }

    pub fn get(&self) -> Option<Certified> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn resolve(&self) -> Option<Arc<CertifiedKey>> {
        self.get().map(|certified| certified.certified)
    }
}

impl ResolvesServerCert for Swap {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.resolve()
    }
}

impl ResolvesClientCert for Swap {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.resolve()
    }

    fn has_certs(&self) -> bool {
        self.get().is_some()
    }
}
