//! The agents that hosts download: the present one, and those that were present before.
//!
//! An intent freezes the digest of the agent its hosts get. The file that `skepd` was given may be replaced by an upgrade
//! at any time, and the next start freezes another digest; what was frozen before is still there, in a copy under its
//! digest, for the hosts that boot meanwhile.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use skep_types::Digest;

/// Copies kept, the present one included. A host downloads within the quarter of an hour it has to boot in: nobody
/// upgrades a coordinator three times in that.
const KEPT: usize = 4;

/// A folder of files, each named by its digest.
#[derive(Debug, Clone)]
pub struct AgentBinaries {
    pub folder: PathBuf,
    /// The one that hosts are given from now on.
    pub present: Digest,
}

#[derive(Debug, thiserror::Error)]
pub enum AgentBinaryError {
    #[error("cannot read the agent binary {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot keep the agent binary in {path}")]
    Keep { path: PathBuf, source: io::Error },
}

impl AgentBinaries {
    /// Copies the file into the folder and makes it the present one. Of the others, the oldest are removed.
    pub fn keep(folder: &Path, file: &Path) -> Result<Self, AgentBinaryError> {
        let bytes =
            fs::read(file).map_err(|source| AgentBinaryError::Read { path: file.to_owned(), source })?;
        let binaries = Self { folder: folder.to_owned(), present: skep_tls::sha256(&bytes) };
        let kept = binaries.write(&bytes).and_then(|()| binaries.remove_oldest());
        kept.map_err(|source| AgentBinaryError::Keep { path: folder.to_owned(), source })?;
        Ok(binaries)
    }

    /// Where the agent of this digest stands, if it is one of those that are kept.
    pub fn path(&self, digest: Digest) -> PathBuf {
        self.folder.join(digest.to_string())
    }

    /// Written anew by each start: a copy that a crash cut short must not be served, and its time says when it was
    /// present last.
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let path = self.path(self.present);
        let new = path.with_extension("new");
        fs::write(&new, bytes)?;
        fs::File::open(&new)?.sync_all()?;
        fs::rename(&new, &path)
    }

    /// What is not named by a digest is the rest of a start that was cut off.
    fn remove_oldest(&self) -> io::Result<()> {
        let mut others: Vec<(Option<SystemTime>, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let digest = entry.file_name().to_str().and_then(digest);
            if digest == Some(self.present) {
                continue;
            }
            let written = digest.and(entry.metadata()?.modified().ok());
            others.push((written, entry.path()));
        }
        others.sort();
        let keep = others.iter().filter(|(written, _)| written.is_some()).count().min(KEPT - 1);
        others.truncate(others.len() - keep);
        others.iter().try_for_each(|(_, path)| fs::remove_file(path))
    }
}

/// As it stands in a file's name and in an address.
pub(crate) fn digest(text: &str) -> Option<Digest> {
    let mut digest = Digest([0; 32]);
    hex::decode_to_slice(text, &mut digest.0).ok()?;
    Some(digest)
}

#[cfg(test)]
mod tests;
