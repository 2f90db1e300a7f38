//! Which files on the plugin path are driver programs that may be started.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Broken;

const PREFIX: &str = "skep-driver-";
const OTHERS_MAY_WRITE: u32 = 0o022;
const EXECUTABLE: u32 = 0o111;

/// A file to be asked what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) program: PathBuf,
    pub(super) mark: Option<Mark>,
}

/// What a file on the path is told by, without reading it; where links lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    program: PathBuf,
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    mode: u32,
    user: u32,
}

impl Mark {
    fn of(program: &Path) -> Option<Self> {
        let about = std::fs::metadata(program).ok()?;
        Some(Self {
            program: program.to_owned(),
            device: about.dev(),
            inode: about.ino(),
            size: about.size(),
            modified: (about.mtime(), about.mtime_nsec()),
            mode: about.mode(),
            user: about.uid(),
        })
    }
}

/// Away from the threads that serve: a folder of a thousand programs takes a moment. None where it did not come to an end.
pub(super) async fn away<T: Send + 'static>(path: &[PathBuf], walk: fn(&[PathBuf]) -> T) -> Option<T> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || walk(&path)).await.ok()
}

/// Of all files that could be driver programs, in the order of the path.
pub(super) fn marks(path: &[PathBuf]) -> Vec<Mark> {
    path.iter().flat_map(|folder| in_folder(folder)).filter_map(|candidate| candidate.mark).collect()
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scanned {
    pub(super) candidates: Vec<Candidate>,
    pub(super) refused: Vec<Broken>,
}

/// By name; of two programs with one name, that of the earlier folder. A folder that is not there has none.
pub(super) fn scan(path: &[PathBuf]) -> Scanned {
    let mut scanned = Scanned::default();
    let mut seen = BTreeSet::new();
    let us = rustix::process::geteuid().as_raw();
    for candidate in path.iter().flat_map(|folder| in_folder(folder)) {
        if !seen.insert(candidate.name.clone()) {
            continue;
        }
        match trusted(&candidate.program, us) {
            Ok(program) => scanned.candidates.push(Candidate { program, ..candidate }),
            Err(reason) => {
                scanned.refused.push(Broken { name: candidate.name, program: candidate.program, reason })
            }
        }
    }
    scanned
}

fn in_folder(folder: &Path) -> Vec<Candidate> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<Candidate> = entries
        .filter_map(|entry| {
            let file_name = entry.file_name();
            let name = file_name.to_str()?.strip_prefix(PREFIX)?;
            // What a compiler leaves beside a program has an extension.
            let is_name = !name.is_empty() && !name.contains('.');
            let program = entry.path();
            is_name.then(|| Candidate { name: name.to_owned(), mark: Mark::of(&program), program })
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// The file itself, behind all links, if nobody but root and us can change it.
fn trusted(program: &Path, us: u32) -> Result<PathBuf, String> {
    let file = program.canonicalize().map_err(|error| format!("cannot be opened: {error}"))?;
    let about = std::fs::metadata(&file).map_err(|error| format!("cannot be opened: {error}"))?;
    judge(&about, us)?;
    let folder = file.parent().unwrap_or(Path::new("/"));
    let about = std::fs::metadata(folder).map_err(|error| format!("its folder cannot be opened: {error}"))?;
    only_ours(&about, us).map_err(|reason| format!("its folder {} {reason}", folder.display()))?;
    Ok(file)
}

fn judge(about: &Metadata, us: u32) -> Result<(), String> {
    if !about.is_file() {
        return Err("is not a file".to_owned());
    }
    if about.mode() & EXECUTABLE == 0 {
        return Err("is not executable".to_owned());
    }
    only_ours(about, us)
}

fn only_ours(about: &Metadata, us: u32) -> Result<(), String> {
    if about.uid() != 0 && about.uid() != us {
        return Err(format!("belongs to user {}: it must be root's or that of skepd", about.uid()));
    }
    if about.mode() & OTHERS_MAY_WRITE != 0 {
        return Err("can be written by others: chmod go-w".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn put(folder: &Path, name: &str, mode: u32) {
        std::fs::write(folder.join(name), "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn programs_that_others_can_change_are_refused_by_name() {
        let first = tempfile::tempdir().unwrap();
        let second = tempfile::tempdir().unwrap();
        put(first.path(), "skep-driver-a", 0o755);
        put(first.path(), "skep-driver-b", 0o757);
        put(first.path(), "skep-driver-c", 0o775);
        put(first.path(), "skep-driver-d", 0o644);
        put(first.path(), "skep-driver-a.d", 0o644);
        put(first.path(), "other", 0o755);
        std::fs::create_dir(first.path().join("skep-driver-e")).unwrap();
        put(second.path(), "skep-driver-a", 0o777);
        put(second.path(), "skep-driver-z", 0o700);
        let none = first.path().join("none");

        let scanned = scan(&[first.path().into(), none, second.path().into()]);
        let names: Vec<_> = scanned.candidates.iter().map(|candidate| candidate.name.as_str()).collect();
        assert_eq!(names, ["a", "z"]);
        let refused: Vec<_> =
            scanned.refused.iter().map(|each| format!("{}: {}", each.name, each.reason)).collect();
        assert_eq!(
            refused,
            [
                "b: can be written by others: chmod go-w",
                "c: can be written by others: chmod go-w",
                "d: is not executable",
                "e: is not a file",
            ]
        );
    }

    #[test]
    fn a_folder_that_others_can_write_makes_its_programs_theirs() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "skep-driver-a", 0o755);
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let scanned = scan(&[folder.path().into()]);
        assert!(scanned.refused[0].reason.contains("its folder"), "{scanned:?}");
    }

    #[test]
    fn somebody_elses_program_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "skep-driver-a", 0o755);
        let about = std::fs::metadata(folder.path().join("skep-driver-a")).unwrap();
        let nobody = about.uid() + 1;
        assert_eq!(judge(&about, nobody).is_ok(), about.uid() == 0);
    }
}
