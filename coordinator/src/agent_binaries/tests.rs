//! Over upgrades: what was frozen before is still there, and not for ever.

use std::cell::Cell;
use std::time::{Duration, UNIX_EPOCH};

use tempfile::TempDir;

use super::*;

struct Machine {
    folder: TempDir,
    starts: Cell<u64>,
}

impl Machine {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), starts: Cell::new(0) }
    }

    fn agents(&self) -> PathBuf {
        self.folder.path().join("agents")
    }

    /// `skepd` starts beside an agent of this version.
    fn start(&self, version: &str) -> AgentBinaries {
        let file = self.folder.path().join("skep-agent");
        fs::write(&file, version).unwrap();
        let binaries = AgentBinaries::keep(&self.agents(), &file).unwrap();
        // A second later each time: files that are written quickly have the same time.
        self.starts.set(self.starts.get() + 1);
        let copy = fs::File::options().write(true).open(binaries.path(binaries.present)).unwrap();
        copy.set_modified(UNIX_EPOCH + Duration::from_secs(self.starts.get())).unwrap();
        binaries
    }

    /// The versions that are there, in the order of their names.
    fn kept(&self) -> Vec<String> {
        let entries = fs::read_dir(self.agents()).unwrap();
        let mut kept: Vec<String> =
            entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
        kept.sort();
        kept
    }
}

#[test]
fn an_upgrade_keeps_what_was_frozen_before() {
    let machine = Machine::new();
    let old = machine.start("v1");
    let new = machine.start("v2");
    assert_ne!(old.present, new.present);
    assert_eq!(fs::read(new.path(old.present)).unwrap(), b"v1");
    assert_eq!(fs::read(new.path(new.present)).unwrap(), b"v2");
    assert!(!new.path(Digest([7; 32])).exists());
}

#[test]
fn the_oldest_go_and_the_present_one_stays() {
    let machine = Machine::new();
    for version in ["v1", "v2", "v3", "v4", "v5", "v6"] {
        machine.start(version);
    }
    assert_eq!(machine.kept(), ["v3", "v4", "v5", "v6"]);
    // Back to one that is still there: it counts as new again.
    machine.start("v3");
    machine.start("v7");
    assert_eq!(machine.kept(), ["v3", "v5", "v6", "v7"]);
}

#[test]
fn a_start_that_was_cut_off_is_swept_away() {
    let machine = Machine::new();
    let binaries = machine.start("v1");
    fs::write(binaries.path(binaries.present).with_extension("new"), "v").unwrap();
    // Cut short by the loss of power.
    fs::write(binaries.path(binaries.present), "v").unwrap();
    machine.start("v1");
    assert_eq!(machine.kept(), ["v1"]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let machine = Machine::new();
    let refused = AgentBinaries::keep(&machine.agents(), Path::new("/nonexistent/skep-agent")).unwrap_err();
    assert_eq!(refused.to_string(), "cannot read the agent binary /nonexistent/skep-agent");
}
