//! What the Markdown files promise: that their links lead somewhere and their commands exist.

use std::collections::{BTreeMap, BTreeSet};

use super::check;
use super::repo::{File, Repo};

/// Written by the program itself; a test of the CLI compares.
const REFERENCE: &str = "docs/cli.md";
/// Whoever's words these are, they are in every command's help.
const GLOBAL: [&str; 3] = ["--help", "--version", "--config"];
/// Drivers bring flags of their own, after their names.
const OF_DRIVERS: [&str; 4] = ["--local-", "--sim-", "--generic-", "--amazonec2-"];
/// Hosts that a text may name. Mirrors of somebody's network are none of them.
const WEB: [&str; 3] = ["github.com", "www.apache.org", "example.com"];

fn links_lead_somewhere(repo: &Repo) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in repo.ending(".md") {
        for link in
            file.text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link)
        {
            let target = link.split('#').next().unwrap_or_default();
            if target.contains("://") || target.is_empty() {
                continue;
            }
            let target = resolved(&file.path, target);
            let there = repo
                .files
                .iter()
                .any(|other| other.path == target || other.path.starts_with(&format!("{target}/")));
            if !there {
                wrong.push(format!("{}: no {target} to link to", file.path));
            }
        }
    }
    wrong
}

/// `link` as it stands in the file at `path`, from the root.
fn resolved(path: &str, link: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in link.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn urls_are_public(repo: &Repo) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in repo.files.iter().filter(|file| !file.is_test() && !file.path.ends_with(".rs")) {
        for rest in file.text.split("://").skip(1) {
            let host: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || ".-_".contains(*c)).collect();
            // Without a dot it is a placeholder; with digits alone, an address of an example.
            let public = !host.contains('.') || host.chars().all(|c| c.is_ascii_digit() || c == '.');
            if !public && !WEB.contains(&host.as_str()) {
                wrong.push(format!("{}: {host} is no host that everybody reaches", file.path));
            }
        }
    }
    wrong
}

/// Verbs ("swarm create") with their flags, out of the reference.
fn reference(repo: &Repo) -> BTreeMap<String, BTreeSet<String>> {
    let text = repo.get(REFERENCE).map(|file| file.text.as_str()).unwrap_or_default();
    let sections = text.split("\n### skep ").skip(1).filter_map(|section| section.split_once('\n'));
    sections.map(|(verb, section)| (verb.trim().to_owned(), flags(section))).collect()
}

fn flags(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| c.is_whitespace() || "`,=[]()|\"'".contains(c));
    words.filter(|word| word.starts_with('-') && word.len() > 1).map(str::to_owned).collect()
}

/// Lines of shell in code blocks that call `skep`, from the call on.
fn calls(file: &File) -> Vec<&str> {
    let blocks = file.text.split("```").skip(1).step_by(2);
    let shell = blocks.filter(|block| block.starts_with("sh\n"));
    let lines = shell.flat_map(str::lines).map(|line| line.split(" #").next().unwrap_or(line));
    let call = |line| {
        let line: &str = line;
        let at = if line.starts_with("skep ") { Some(0) } else { line.find("(skep ").map(|at| at + 1) };
        at.map(|at| &line[at + "skep ".len()..])
    };
    lines.filter_map(call).collect()
}

fn commands_exist(repo: &Repo) -> Vec<String> {
    let reference = reference(repo);
    let mut wrong = Vec::new();
    for file in repo.ending(".md").filter(|file| file.path != REFERENCE) {
        for call in calls(file) {
            // What is quoted, piped to or said after `--` is not ours.
            let call = call.split(&['|', ')', ';', '>'][..]).next().unwrap_or(call);
            let call = call.split(" -- ").next().unwrap_or(call);
            let mut words: Vec<&str> = call.split_whitespace().collect();
            // The one option that stands before a verb, with its value.
            if words.first() == Some(&"--config") {
                words.drain(..words.len().min(2));
            }
            let longest =
                (1..=words.len().min(2)).rev().find_map(|n| reference.get_key_value(&words[..n].join(" ")));
            let Some((verb, known)) = longest else {
                wrong.push(format!("{}: there is no `skep {call}`", file.path));
                continue;
            };
            let ours =
                flags(call).into_iter().filter(|flag| !OF_DRIVERS.iter().any(|of| flag.starts_with(of)));
            let unknown = ours.filter(|flag| !known.contains(flag) && !GLOBAL.contains(&flag.as_str()));
            wrong.extend(unknown.map(|flag| format!("{}: `skep {verb}` has no {flag}", file.path)));
        }
    }
    wrong
}

#[test]
fn links() {
    check(
        links_lead_somewhere,
        &[&[("docs/a.md", "See [b](b.md).\n")], &[("docs/a.md", "[x](../nowhere/)\n")]],
    );
}

#[test]
fn hosts() {
    check(urls_are_public, &[&[("deploy/a.sh", "curl https://mirror.internal.net/x\n")]]);
}

#[test]
fn commands() {
    let reference = "\n### skep ls\n\n| `--quiet, -q` | x |\n";
    check(
        commands_exist,
        &[
            &[(REFERENCE, reference), ("README.md", "```sh\nskep frobnicate\n```\n")],
            &[(REFERENCE, reference), ("README.md", "```sh\nskep ls --loud\n```\n")],
        ],
    );
}
