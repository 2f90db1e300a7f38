//! The folder a plugin works in: laid out before it starts, read back while it runs, gone after it.
//!
//! ```text
//! ROOT/X.lock          held as long as the driver lives; a folder whose lock nobody holds is swept away
//! ROOT/X.d/RANDOM/     of the plugin's user alone
//!     tmp/
//!     store/machines/MACHINE/   the driver's files: keys
//! ```
//! The plugin owns its folder and may put anything there: what is read back are regular files of its own, never by
//! way of a link, few and small.

mod collect;

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Component, Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use skep_machine_protocol::PluginUser;
use tempfile::{NamedTempFile, TempDir};

use crate::kept::Kept;

pub(crate) use collect::CollectError;

/// Where folders are made.
#[derive(Debug)]
pub(crate) struct Workshop {
    folder: PathBuf,
    _lock: NamedTempFile,
}

impl Workshop {
    /// `root` is made if it is missing, and swept of what crashed programs left.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        // Plugins' users pass through, and see nothing.
        DirBuilder::new().recursive(true).mode(0o711).create(root)?;
        sweep(root)?;
        let lock = tempfile::Builder::new().prefix("").suffix(".lock").tempfile_in(root)?;
        lock.as_file().lock()?;
        let folder = lock.path().with_extension("d");
        DirBuilder::new().mode(0o711).create(&folder)?;
        Ok(Self { folder, _lock: lock })
    }

    /// A folder with the files that are kept of a machine.
    pub(crate) fn lay(&self, kept: &Kept, user: Option<PluginUser>) -> io::Result<Folder> {
        let own = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().permissions(own).tempdir_in(&self.folder)?;
        let machine = PathBuf::from("store/machines").join(&kept.machine);
        let mut laid = Laid { root: folder.path(), made: vec![folder.path().to_owned()] };
        laid.folder(Path::new("tmp"))?;
        laid.folder(&machine)?;
        for (path, content) in &kept.files {
            laid.file(&machine, path, content)?;
        }
        if let Some(user) = user {
            // The top last: until then nobody else can come near.
            laid.made.iter().rev().try_for_each(|path| chown(path, Some(user.uid), Some(user.gid)))?;
        }
        Ok(Folder { folder, machine: kept.machine.clone(), user })
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What is left over is swept by the next program.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn sweep(root: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(root)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "lock")
            && File::open(&path).is_ok_and(|lock| lock.try_lock().is_ok())
        {
            // Another program may sweep at the same time.
            let _ = std::fs::remove_dir_all(path.with_extension("d"));
            let _ = std::fs::remove_file(&path);
        }
    }
    Ok(())
}

/// What was made, parents first.
struct Laid<'a> {
    root: &'a Path,
    made: Vec<PathBuf>,
}

impl Laid<'_> {
    fn folder(&mut self, path: &Path) -> io::Result<()> {
        let mut folder = self.root.to_owned();
        for part in path {
            folder.push(part);
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => self.made.push(folder.clone()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn file(&mut self, machine: &Path, path: &str, content: &str) -> io::Result<()> {
        let strange =
            || io::Error::new(io::ErrorKind::InvalidData, format!("{path:?} is no file of a machine"));
        let relative = Path::new(path);
        if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(strange());
        }
        let whole = machine.join(relative);
        self.folder(whole.parent().ok_or_else(strange)?)?;
        let content = STANDARD.decode(content).map_err(|_| strange())?;
        let place = self.root.join(whole);
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&place)?;
        file.write_all(&content)?;
        self.made.push(place);
        Ok(())
    }
}

/// One plugin's folder. Gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    folder: TempDir,
    machine: String,
    user: Option<PluginUser>,
}

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        self.path().join("tmp")
    }

    /// Docker Machine's StorePath.
    pub(crate) fn store(&self) -> PathBuf {
        self.path().join("store")
    }

    /// The path of a file within the machine's folder; None for one elsewhere.
    pub(crate) fn within(&self, path: &str) -> Option<String> {
        let folder = self.store().join("machines").join(&self.machine);
        Path::new(path).strip_prefix(folder).ok()?.to_str().map(str::to_owned)
    }

    /// The machine's files, in base64 by their path.
    pub(crate) fn files(&self) -> Result<std::collections::BTreeMap<String, String>, CollectError> {
        collect::files(self.path(), &self.machine, self.user.map(|user| user.uid))
    }
}

#[cfg(test)]
mod tests;
