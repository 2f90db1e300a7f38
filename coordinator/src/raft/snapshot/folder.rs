//! The folder of snapshots: the newest file counts, older ones are removed.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use skep_core::State;
use skep_types::Digest;

use super::{SnapshotError, SnapshotFile};
use crate::raft::files;
use crate::raft::types::SnapshotMeta;

const SUFFIX: &str = "snapshot";
const UNFINISHED: &str = "tmp";

#[derive(Debug, Clone)]
pub(in crate::raft) struct SnapshotFolder {
    dir: PathBuf,
    /// For the names of unfinished files.
    counter: Arc<AtomicU64>,
}

impl SnapshotFolder {
    /// Makes the folder, clears what was not finished, and gives the newest snapshot.
    pub(in crate::raft) fn open(dir: PathBuf) -> Result<(Self, Option<SnapshotFile>), SnapshotError> {
        let failed = |source| SnapshotError::Io { path: dir.clone(), source };
        std::fs::create_dir_all(&dir).map_err(failed)?;
        for path in with_extension(&dir, UNFINISHED).map_err(failed)? {
            std::fs::remove_file(&path).map_err(failed)?;
        }
        let newest = with_extension(&dir, SUFFIX).map_err(failed)?.into_iter().max();
        let newest = newest
            .map(|path| SnapshotFile::open(&path).map_err(|source| SnapshotError::Damaged { path, source }))
            .transpose()?;
        Ok((Self { dir, counter: Arc::default() }, newest))
    }

    /// Writes a snapshot under its name. Blocks.
    pub(in crate::raft) fn write(&self, meta: &SnapshotMeta, state: &State) -> io::Result<SnapshotFile> {
        let unfinished = self.unfinished();
        let written = SnapshotFile::write(&unfinished, meta, state);
        let written = written.and_then(|file| self.keep(meta, file));
        if written.is_err() {
            // What stays after a failure is cleared at the next start.
            let _ = std::fs::remove_file(&unfinished);
        }
        written
    }

    /// A file for a snapshot that is being received.
    pub(in crate::raft) fn receive(&self) -> io::Result<Incoming> {
        let path = self.unfinished();
        Ok(Incoming { file: File::create_new(&path)?, path, length: 0, kept: false })
    }

    /// Gives a whole file its name and removes the older ones. Keeping it again changes nothing.
    pub(in crate::raft) fn keep(
        &self,
        meta: &SnapshotMeta,
        mut file: SnapshotFile,
    ) -> io::Result<SnapshotFile> {
        let path = self.dir.join(name(meta));
        if file.path != path {
            std::fs::rename(&file.path, &path)?;
            files::sync_dir(&self.dir)?;
            file.path = path;
        }
        for older in with_extension(&self.dir, SUFFIX)?.into_iter().filter(|other| *other < file.path) {
            std::fs::remove_file(older)?;
        }
        Ok(file)
    }

    fn unfinished(&self) -> PathBuf {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        self.dir.join(format!("{number}.{UNFINISHED}"))
    }
}

/// Sorts like the snapshots do.
fn name(meta: &SnapshotMeta) -> String {
    let (index, term) = meta.last_log_id.map_or((0, 0), |last| (last.index, last.leader_id.term));
    format!("{index:020}-{term:020}.{SUFFIX}")
}

fn with_extension(dir: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let paths = std::fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|found| found == extension)).collect())
}

/// A snapshot on its way in. Removed when it is dropped unfinished.
#[derive(Debug)]
pub(in crate::raft) struct Incoming {
    path: PathBuf,
    file: File,
    length: u64,
    kept: bool,
}

impl Incoming {
    /// Blocks.
    pub(in crate::raft) fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.length += u64::try_from(chunk.len()).map_err(io::Error::other)?;
        self.file.write_all(chunk)
    }

    pub(in crate::raft) fn length(&self) -> u64 {
        self.length
    }

    /// Syncs the file and checks it. Blocks.
    pub(in crate::raft) fn finish(mut self, expected: Digest) -> io::Result<SnapshotFile> {
        self.file.sync_all()?;
        let file = SnapshotFile::open(&self.path)?;
        if file.digest() != expected {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "another snapshot than was announced"));
        }
        self.kept = true;
        Ok(file)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.kept {
            // What stays after a failure is cleared at the next start.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
