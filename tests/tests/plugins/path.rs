//! A plugin path with one program, or none.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

#[derive(Debug)]
pub(crate) struct Path(TempDir);

impl Path {
    /// `skep-driver-sim`: the tests' driver program with `words`.
    pub(crate) fn with(words: &str) -> Self {
        let path = Self::empty();
        path.put(words);
        path
    }

    pub(crate) fn empty() -> Self {
        let path = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(path.folder()).unwrap();
        path
    }

    /// In the place of one that is there, at once.
    pub(crate) fn put(&self, words: &str) {
        self.put_script("", words);
    }

    /// Each that serves has started something beside it.
    pub(crate) fn put_with_children(&self) {
        let started = self.started();
        let script = format!("case $1 in --socket) sleep 1000 & echo $! >>{};; esac\n", started.display());
        self.put_script(&script, "");
    }

    fn put_script(&self, before: &str, words: &str) {
        let program = env!("CARGO_BIN_EXE_skep-test-driver");
        let new = self.0.path().join("new");
        std::fs::write(&new, format!("#!/bin/sh\n{before}exec {program} {words} \"$@\"\n")).unwrap();
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(new, self.program()).unwrap();
    }

    /// One that ends at once while it is ill, without another file on the path.
    pub(crate) fn put_sickly(&self) {
        self.put_script(&format!("[ -e {} ] && exit 1\n", self.ill().display()), "");
    }

    pub(crate) fn fall_ill(&self) {
        std::fs::write(self.ill(), "").unwrap();
    }

    pub(crate) fn recover(&self) {
        std::fs::remove_file(self.ill()).unwrap();
    }

    fn ill(&self) -> PathBuf {
        self.0.path().join("ill")
    }

    fn started(&self) -> PathBuf {
        self.0.path().join("started")
    }

    /// Those of all that served, in their order.
    pub(crate) fn children(&self) -> Vec<u32> {
        let started = std::fs::read_to_string(self.started()).unwrap();
        started.lines().map(|pid| pid.parse().unwrap()).collect()
    }

    pub(crate) fn remove(&self) {
        std::fs::remove_file(self.program()).unwrap();
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

    pub(crate) fn let_others_write(&self) {
        std::fs::set_permissions(self.program(), std::fs::Permissions::from_mode(0o757)).unwrap();
    }

    pub(crate) fn sockets(&self) -> Vec<PathBuf> {
        let folders = std::fs::read_dir(self.run()).unwrap().map(|entry| entry.unwrap().path());
        folders.map(|folder| folder.join("socket")).filter(|socket| socket.exists()).collect()
    }
}

pub(crate) fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
