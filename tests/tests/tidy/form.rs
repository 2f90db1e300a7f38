//! How a file looks.

use super::check;
use super::repo::Repo;

/// Longer than this, a file is more than one thing. Files of tests are tables, and may be longer.
const LINES: usize = 400;
const UNFINISHED: [&str; 6] = ["todo!", "unimplemented!", "#[ignore", "FIXME", "XXX", "TODO"];
/// Of the machine it was written on.
const PLACES: [&str; 3] = ["/root/", "/home/", "/work/"];

fn files_are_short(repo: &Repo) -> Vec<String> {
    let product = repo.rust().filter(|file| !file.is_test());
    let long = product.map(|file| (file, file.text.lines().count())).filter(|(_, lines)| *lines > LINES);
    long.map(|(file, lines)| format!("{}: {lines} lines, more than {LINES}", file.path)).collect()
}

/// A file of unit tests is told by the file it tests.
fn files_say_what_they_are(repo: &Repo) -> Vec<String> {
    let silent =
        repo.rust().filter(|file| !file.text.starts_with("//!") && !file.path.ends_with("/tests.rs"));
    silent.map(|file| format!("{}: does not begin with //!", file.path)).collect()
}

/// This folder names the words it looks for; mktemp asks for its own.
fn nothing_is_left_for_later(repo: &Repo) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in repo.files.iter().filter(|file| !file.path.starts_with("tests/tests/tidy/")) {
        for (at, line) in file.text.lines().enumerate().filter(|(_, line)| !line.contains("mktemp")) {
            let words = UNFINISHED.iter().filter(|word| line.contains(*word));
            wrong.extend(words.map(|word| format!("{}:{}: {word}", file.path, at + 1)));
        }
    }
    wrong
}

fn modules_have_names(repo: &Repo) -> Vec<String> {
    let nameless = repo.rust().filter(|file| file.path.ends_with("/mod.rs"));
    nameless.map(|file| format!("{}: name it after its folder", file.path)).collect()
}

fn no_place_of_one_machine(repo: &Repo) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in repo.files.iter().filter(|file| !file.path.starts_with("tests/tests/tidy/")) {
        for (at, line) in file.text.lines().enumerate() {
            let places = PLACES.iter().filter(|place| line.contains(*place));
            wrong.extend(places.map(|place| format!("{}:{}: {place}", file.path, at + 1)));
        }
    }
    wrong
}

#[test]
fn short() {
    check(files_are_short, &[&[("agent/src/lib.rs", &"x\n".repeat(401))]]);
}

#[test]
fn introduced() {
    check(files_say_what_they_are, &[&[("agent/src/lib.rs", "use std::fmt;\n")]]);
}

#[test]
fn finished() {
    check(nothing_is_left_for_later, &[&[("agent/src/lib.rs", "todo!()\n")], &[("a.sh", "# FIXME\n")]]);
}

#[test]
fn named() {
    check(modules_have_names, &[&[("agent/src/session/mod.rs", "//! x\n")]]);
}

#[test]
fn at_home_anywhere() {
    check(no_place_of_one_machine, &[&[("deploy/x.sh", "cd /root/x\n")]]);
}
