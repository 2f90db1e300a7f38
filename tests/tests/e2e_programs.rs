//! Driver programs under a real `skepd`, and one in another language with every rule of the contract.

#![allow(clippy::unwrap_used, reason = "a step that fails fails the test")]

#[path = "e2e/children.rs"]
mod children;
#[path = "e2e/python.rs"]
mod python;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use skep_tests::processes::{Cli, Processes, Programs, Settings, run, simulator};
use skep_tests::wait::{until, until_true};
use tempfile::TempDir;

use children::{alive, children};

/// From the end of a program to the next one; an interpreter takes a second or two.
const RESTART: Duration = Duration::from_secs(30);
/// From the end of a coordinator, or of an account, to that of its programs.
const END: Duration = Duration::from_secs(20);
/// From a change on the plugin path to a list that shows it: two looks, a handshake, and an entry.
const FOUND: Duration = Duration::from_secs(40);

fn plugin_folder() -> TempDir {
    tempfile::Builder::new().prefix("skep-e2e-path-").tempdir().unwrap()
}

fn put(program: &Path, folder: &Path, name: &str, mode: u32) -> PathBuf {
    let path = folder.join(name);
    std::fs::copy(program, &path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn a_program_is_installed_after_it_said_what_it_is() {
    let folder = plugin_folder();
    let skep = Cli::new(Programs::from_environment().skep, folder.path().join("none.toml"));
    let to = folder.path().join("drivers");
    let wrong = put(&simulator(), folder.path(), "skep-driver-other", 0o755);
    let refused = skep.ask(&["driver", "install", wrong.to_str().unwrap(), "--to", to.to_str().unwrap()]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("calls itself sim"), "{}", refused.stderr);
    assert!(!to.exists());

    let program = put(&simulator(), folder.path(), "skep-driver-sim", 0o700);
    let kinds = skep.text(&["driver", "install", program.to_str().unwrap(), "--to", to.to_str().unwrap()]);
    assert_eq!(kinds, "sim");
    let mode = std::fs::metadata(to.join("skep-driver-sim")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    assert_eq!(std::fs::read_dir(&to).unwrap().count(), 1);
}

/// A program that was killed comes back; a coordinator that was killed takes its programs with it.
#[test]
fn programs_live_and_end_with_their_coordinator() {
    let folder = plugin_folder();
    put(&simulator(), folder.path(), "skep-driver-sim", 0o755);
    put(&simulator(), folder.path(), "skep-driver-open", 0o757);
    let settings = Settings { plugin_path: Some(folder.path().to_owned()), ..Settings::default() };
    let mut cluster = Processes::start_with(1, &settings);
    cluster.skep().text(&["create", "simulated", "--driver", "sim"]);
    let listed = cluster.skep().text(&["driver", "ls"]);
    assert!(listed.contains("broken: can be written by others"), "{listed}");

    let program = program(&cluster);
    run(std::process::Command::new("kill").args(["-KILL", &program.to_string()]));
    let next = until(RESTART, "the program is started again", || {
        children(cluster.pids()[0], "skep-driver-sim").into_iter().find(|pid| *pid != program)
    });
    cluster.kill(0);
    until_true(END, "the program ends with its coordinator", || !alive(next.0));
    cluster.restart(0);
    cluster.skep().text(&["create", "another", "--driver", "sim"]);
    let _ = self::program(&cluster);
}

/// What it was given of the account ends with it.
#[test]
fn a_program_ends_with_its_account() {
    let folder = plugin_folder();
    put(&simulator(), folder.path(), "skep-driver-sim", 0o755);
    let settings = Settings { plugin_path: Some(folder.path().to_owned()), ..Settings::default() };
    let cluster = Processes::start_with(1, &settings);
    let skep = cluster.skep();
    skep.text(&["account", "add", "other", "--driver", "sim"]);
    skep.text(&["account", "test", "other"]);
    let program = program(&cluster);
    skep.text(&["account", "rm", "--yes", "other"]);
    until_true(END, "the program ends with its account", || !alive(program));
}

fn program(cluster: &Processes) -> u32 {
    let look = || children(cluster.pids()[0], "skep-driver-sim").pop();
    until(RESTART, "the program runs", look).0
}

/// Of every coordinator, whichever is asked.
fn listed(cluster: &Processes, parts: &[&str]) {
    until_true(FOUND, &format!("{parts:?} is listed"), || {
        let text = cluster.skep().text(&["driver", "ls"]);
        text.lines().any(|line| parts.iter().all(|part| line.contains(part)))
    });
}

fn install(cluster: &Processes, from: &Path, to: &Path) {
    let (from, to) = (from.to_str().unwrap(), to.to_str().unwrap());
    cluster.skep().text(&["driver", "install", from, "--to", to]);
}

/// Found, used, replaced, and refused, by coordinators that run.
#[test]
fn a_driver_is_installed_and_replaced_while_coordinators_run() {
    let (source, folder) = (plugin_folder(), plugin_folder());
    let program = put(&simulator(), source.path(), "skep-driver-sim", 0o755);
    let settings = Settings { plugin_path: Some(folder.path().to_owned()), ..Settings::default() };
    let cluster = Processes::start_with(2, &settings);
    install(&cluster, &program, folder.path());
    listed(&cluster, &["sim", "c1, c2", "usable"]);
    cluster.skep().text(&["create", "simulated", "--driver", "sim"]);
    let before = running(&cluster);

    install(&cluster, &program, folder.path());
    hang_up(&cluster);
    // The next call of the account starts it, and the one before ends.
    until_true(RESTART, "the new program is used", || {
        cluster.skep().text(&["account", "test", "sim"]);
        let now = running(&cluster);
        !now.is_empty() && now.iter().all(|pid| !before.contains(pid))
    });
    cluster.skep().text(&["create", "another", "--driver", "sim"]);

    std::fs::set_permissions(folder.path().join("skep-driver-sim"), std::fs::Permissions::from_mode(0o757))
        .unwrap();
    hang_up(&cluster);
    listed(&cluster, &["sim", "c1", "broken: can be written by others"]);
    listed(&cluster, &["sim", "c2", "broken: can be written by others"]);
    listed(&cluster, &["sim", "on no coordinator"]);
    assert_eq!(cluster.skep().lines(&["ls", "-q"]).len(), 2);
}

fn running(cluster: &Processes) -> Vec<u32> {
    cluster.pids().into_iter().flat_map(|pid| children(pid, "skep-driver-sim")).collect()
}

fn hang_up(cluster: &Processes) {
    for pid in cluster.pids() {
        run(std::process::Command::new("kill").args(["-HUP", &pid.to_string()]));
    }
}
