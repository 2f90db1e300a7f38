//! The plugin for tests, built from its source by whoever tests with it. Needs Go, which `tests/run.sh` installs.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder with `docker-machine-driver-testhost` in it. Tests run in many processes: the first one builds.
pub(crate) fn folder(source: &str, scratch: &str) -> PathBuf {
    let folder = Path::new(scratch).join("testhost");
    std::fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(folder.join("docker-machine-driver-testhost"))
        .arg(".")
        .current_dir(source)
        .env("CGO_ENABLED", "0")
        .output()
        .expect("Go is installed");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    folder
}
