//! A plugin path with one program.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

#[derive(Debug)]
pub(crate) struct Path(TempDir);

impl Path {
    /// `skep-driver-sim`: the tests' driver program with `words`.
    pub(crate) fn with(words: &str) -> Self {
        let path = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(path.folder()).unwrap();
        let program = env!("CARGO_BIN_EXE_skep-test-driver");
        let script = format!("#!/bin/sh\nexec {program} {words} \"$@\"\n");
        std::fs::write(path.program(), script).unwrap();
        path.set_mode(0o755);
        path
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.0.path().join("path")
    }

    pub(crate) fn run(&self) -> PathBuf {
        self.0.path().join("run")
    }

    fn program(&self) -> PathBuf {
        self.folder().join("skep-driver-sim")
    }

    fn set_mode(&self, mode: u32) {
        std::fs::set_permissions(self.program(), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn let_others_write(&self) {
        self.set_mode(0o757);
    }

    pub(crate) fn sockets(&self) -> Vec<PathBuf> {
        let folders = std::fs::read_dir(self.run()).unwrap().map(|entry| entry.unwrap().path());
        folders.map(|folder| folder.join("socket")).filter(|socket| socket.exists()).collect()
    }
}

pub(crate) fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
