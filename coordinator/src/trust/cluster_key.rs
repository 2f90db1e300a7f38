//! The cluster key: the one secret that stands outside data and backups, in a file of each coordinator.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use skep_tls::write_private;
use skep_types::ClusterId;
use zeroize::Zeroizing;

use super::{Sealer, TrustError, random};

const BYTES: usize = 32;

/// Opens everything that is sealed in the replicated state. Handed to a coordinator when it joins, over mTLS.
#[derive(Clone)]
pub struct ClusterKey(Zeroizing<[u8; BYTES]>);

impl ClusterKey {
    pub fn generate() -> Result<Self, TrustError> {
        Ok(Self(Zeroizing::new(random()?)))
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TrustError> {
        let bytes = bytes.try_into().map_err(|_| TrustError::MalformedKey)?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// For the reply to a coordinator that joins; nowhere else.
    pub fn reveal(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// None if there is no file. One that everybody can read is refused: its secrecy is lost already.
    pub fn load(path: &Path) -> Result<Option<Self>, TrustError> {
        let read = |source| TrustError::ReadKey { path: path.to_owned(), source };
        let text = match fs::read_to_string(path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(read(error)),
        };
        // Group bits are left alone: they are the mask of the access list by which systemd hands out credentials.
        if fs::metadata(path).map_err(read)?.permissions().mode() & 0o007 != 0 {
            return Err(TrustError::OpenKey { path: path.to_owned() });
        }
        let bytes = Zeroizing::new(hex::decode(text.trim()).map_err(|_| TrustError::MalformedKey)?);
        Self::from_bytes(&bytes).map(Some)
    }

    /// Hexadecimal, mode 0600, there whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), TrustError> {
        let text = Zeroizing::new(format!("{}\n", *Zeroizing::new(hex::encode(self.0.as_slice()))));
        Ok(write_private(path, text.as_bytes())?)
    }

    /// What seals and opens for this cluster.
    pub fn sealer(&self, cluster: &ClusterId) -> Result<Sealer, TrustError> {
        Sealer::new(&self.0, cluster)
    }
}

impl fmt::Debug for ClusterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_for_the_owner_alone_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster.key");
        assert!(ClusterKey::load(&path).unwrap().is_none());
        let key = ClusterKey::generate().unwrap();
        key.save(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(ClusterKey::load(&path).unwrap().unwrap().reveal(), key.reveal());
    }

    #[test]
    fn a_key_that_everybody_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster.key");
        ClusterKey::generate().unwrap().save(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(ClusterKey::load(&path), Err(TrustError::OpenKey { .. })));
    }

    #[test]
    fn half_a_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster.key");
        for text in ["", "abcd", "not hexadecimal at all", &"00".repeat(33)] {
            write_private(&path, text.as_bytes()).unwrap();
            assert!(matches!(ClusterKey::load(&path), Err(TrustError::MalformedKey)), "{text:?}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", ClusterKey::generate().unwrap()), "[redacted]");
    }
}
