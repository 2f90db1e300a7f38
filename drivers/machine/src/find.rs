//! Where plugins are: programs of their own, or built into `docker-machine`.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use skep_types::DriverName;

const PREFIX: &str = "docker-machine-driver-";
/// Has these drivers inside; the environment tells it which one to be.
const BUILT_INS_OF: &str = "docker-machine";
/// Without `none`, which makes nothing, and `generic`, which only forgets: skep has a driver for existing machines.
const BUILT_INS: [&str; 13] = [
    "amazonec2",
    "azure",
    "digitalocean",
    "exoscale",
    "google",
    "hyperv",
    "openstack",
    "rackspace",
    "softlayer",
    "virtualbox",
    "vmwarefusion",
    "vmwarevcloudair",
    "vmwarevsphere",
];

/// The family that all these drivers are of.
pub(crate) const FAMILY: &str = "machine";

/// Names of all plugins in the folders of `path`, which is written like `PATH`.
pub(crate) fn variants(path: &OsStr) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in std::env::split_paths(path) {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        let found = entries.flatten().filter(|entry| is_program(&entry.path()));
        let found =
            found.filter_map(|entry| Some(entry.file_name().to_str()?.strip_prefix(PREFIX)?.to_owned()));
        names.extend(found);
    }
    if in_folders(path, BUILT_INS_OF).is_some() {
        names.extend(BUILT_INS.map(str::to_owned));
    }
    names.retain(|name| kind(name).is_some());
    names
}

/// The program that serves the plugin. A program of its own wins.
pub(crate) fn program(path: &OsStr, name: &str) -> Option<PathBuf> {
    let own = in_folders(path, &format!("{PREFIX}{name}"));
    own.or_else(|| BUILT_INS.contains(&name).then(|| in_folders(path, BUILT_INS_OF)).flatten())
}

/// The kind's name; None for a plugin whose name cannot be part of one.
pub(crate) fn kind(name: &str) -> Option<DriverName> {
    format!("{FAMILY}/{name}").parse().ok()
}

fn in_folders(path: &OsStr, program: &str) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(program)).find(|file| is_program(file))
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(folder: &Path, name: &str, mode: u32) {
        std::fs::write(folder.join(name), "").unwrap();
        std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn programs_of_their_own_come_first_and_what_cannot_run_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().as_os_str();
        put(folder.path(), "docker-machine-driver-hetzner", 0o755);
        put(folder.path(), "docker-machine-driver-notes", 0o644);
        put(folder.path(), "docker-machine-driver-Odd_Name", 0o755);
        assert_eq!(variants(path), BTreeSet::from(["hetzner".to_owned()]));
        assert_eq!(program(path, "azure"), None);

        put(folder.path(), "docker-machine", 0o755);
        assert_eq!(program(path, "azure"), Some(folder.path().join("docker-machine")));
        assert_eq!(program(path, "hetzner"), Some(folder.path().join("docker-machine-driver-hetzner")));
        assert_eq!(program(path, "linode"), None);
        put(folder.path(), "docker-machine-driver-azure", 0o755);
        assert_eq!(program(path, "azure"), Some(folder.path().join("docker-machine-driver-azure")));
        assert_eq!(variants(path).len(), 14);
    }
}
