//! What this coordinator knows of machines: a file each in the account's private folder, and a mark for each that is
//! gone. The folder may vanish with the coordinator: what was bound is in the replicated state by then.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use skep_driver::{DriverError, ErrorKind};
use tempfile::NamedTempFile;
use tracing::warn;

use crate::kept::Kept;

/// Marks of machines that are gone; the oldest go first.
const GONE_MAX: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Shelf {
    machines: PathBuf,
    gone: PathBuf,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) kept: Kept,
    /// A caller brought what is kept of it: the replicated state has it.
    pub(crate) handed_over: bool,
}

impl Shelf {
    pub(crate) fn open(folder: &Path) -> Result<Self, DriverError> {
        let shelf = Self { machines: folder.join("machines"), gone: folder.join("gone") };
        for folder in [&shelf.machines, &shelf.gone] {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        shelf.forget_oldest().map_err(failed)?;
        Ok(shelf)
    }

    pub(crate) fn get(&self, machine: &str) -> Result<Option<Entry>, DriverError> {
        let Some(path) = file(&self.machines, machine) else { return Ok(None) };
        match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| failed(error.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    pub(crate) fn put(&self, entry: &Entry) -> Result<(), DriverError> {
        let Some(path) = file(&self.machines, &entry.kept.machine) else { return Ok(()) };
        let write = || {
            let bytes = serde_json::to_vec(entry)?;
            // Whole or not at all; readable by its owner alone.
            let mut file = NamedTempFile::new_in(&self.machines)?;
            file.write_all(&bytes)?;
            file.as_file().sync_all()?;
            file.persist(path)?;
            Ok(())
        };
        write().map_err(failed)
    }

    /// As if it had never been: its create did nothing.
    pub(crate) fn forget(&self, machine: &str) -> Result<(), DriverError> {
        let Some(path) = file(&self.machines, machine) else { return Ok(()) };
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }

    /// It was, and is no more.
    pub(crate) fn bury(&self, machine: &str) -> Result<(), DriverError> {
        if let Some(mark) = file(&self.gone, machine) {
            // The mark must have come to stay before the entry goes, and its name with it.
            let stays = || {
                File::create(mark)?.sync_all()?;
                File::open(&self.gone)?.sync_all()
            };
            stays().map_err(failed)?;
        }
        self.forget(machine)
    }

    pub(crate) fn is_gone(&self, machine: &str) -> bool {
        file(&self.gone, machine).is_some_and(|mark| mark.exists())
    }

    /// At most `count` machines of the cluster, in the order of their names.
    pub(crate) fn after(
        &self,
        after: Option<&str>,
        cluster: &str,
        count: usize,
    ) -> Result<Vec<Entry>, DriverError> {
        let mut entries = Vec::new();
        let names = names(&self.machines).map_err(failed)?;
        for name in names.iter().filter(|name| after.is_none_or(|after| name.as_str() > after)) {
            match self.get(name) {
                Ok(entry) => entries.extend(entry.filter(|entry| entry.kept.cluster == cluster)),
                Err(error) => {
                    warn!(machine = name, %error, "a machine's file cannot be read; it is not listed")
                }
            }
            if entries.len() == count {
                break;
            }
        }
        Ok(entries)
    }

    fn forget_oldest(&self) -> io::Result<()> {
        let mut marks = Vec::new();
        for name in names(&self.gone)? {
            let path = self.gone.join(name);
            marks.push((path.metadata()?.modified()?, path));
        }
        marks.sort_unstable();
        let many = marks.len().saturating_sub(GONE_MAX);
        marks.into_iter().take(many).try_for_each(|(_, path)| std::fs::remove_file(path))
    }
}

/// None for what cannot be a machine of ours, and must not become a path.
fn file(folder: &Path, machine: &str) -> Option<PathBuf> {
    let usable = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (!machine.is_empty() && machine.bytes().all(usable)).then(|| folder.join(machine))
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        // Files that are being written begin with a dot.
        names.extend(entry?.file_name().into_string().ok().filter(|name| !name.starts_with('.')));
    }
    names.sort_unstable();
    Ok(names)
}

fn failed(error: io::Error) -> DriverError {
    DriverError::new(ErrorKind::Unavailable, "the account's private folder cannot be used").caused_by(error)
}
