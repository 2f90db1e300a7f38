//! Who may depend on whom, by the manifests.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::check;
use super::repo::{File, Repo};

/// Each crate with the crates of ours that it may use; nothing may use skep-tests.
const MAY_USE: &[(&str, &[&str])] = &[
    ("skep-types", &[]),
    ("skep-tests-ec2", &[]),
    ("skep-core", &["skep-types"]),
    ("skep-proto", &["skep-types"]),
    ("skep-tls", &["skep-types"]),
    ("skep-driver", &["skep-proto", "skep-types"]),
    ("skep-driver-local", &["skep-driver", "skep-types"]),
    ("skep-driver-amazonec2", &["skep-driver", "skep-types"]),
    ("skep-driver-generic", &["skep-driver", "skep-ssh", "skep-types"]),
    ("skep-ssh", &["skep-driver", "skep-types"]),
    ("skep-driver-machine", &["skep-driver", "skep-machine-protocol", "skep-ssh", "skep-types"]),
    ("skep-machine-protocol", &[]),
    ("skep-agent", &["skep-proto", "skep-tls", "skep-types"]),
    ("skep-sim", &["skep-agent", "skep-driver", "skep-tls", "skep-types"]),
    (
        "skep-coordinator",
        &[
            "skep-core",
            "skep-driver",
            "skep-driver-generic",
            "skep-driver-local",
            "skep-proto",
            "skep-tls",
            "skep-types",
        ],
    ),
    ("skep", &["skep-driver", "skep-proto", "skep-tls", "skep-types"]),
];
const TESTS: &str = "skep-tests";
const INHERITED: [&str; 3] = ["license", "edition", "publish"];

fn parsed(file: &File) -> Table {
    file.text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.path))
}

fn crates(repo: &Repo) -> impl Iterator<Item = (&str, Table)> {
    let manifests = repo.ending("Cargo.toml").map(|file| (file.path.as_str(), parsed(file)));
    manifests.filter(|(_, manifest)| manifest.contains_key("package"))
}

fn keys(manifest: &Table, section: &str) -> BTreeSet<String> {
    let table = manifest.get(section).and_then(Value::as_table);
    table.into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn crates_use_whom_they_may(repo: &Repo) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, manifest) in crates(repo) {
        let name = manifest["package"]["name"].as_str().unwrap_or_default();
        let ours = keys(&manifest, "dependencies").into_iter().filter(|used| used.starts_with("skep"));
        match MAY_USE.iter().find(|(known, _)| *known == name) {
            Some((_, may)) => {
                let refused = ours.filter(|used| !may.contains(&used.as_str()));
                wrong.extend(refused.map(|used| format!("{path}: {name} may not depend on {used}")));
            }
            None if name == TESTS => {}
            None => wrong.push(format!("{path}: {name} has no row in tidy's table")),
        }
    }
    wrong
}

fn shared_dependencies_are_used(repo: &Repo) -> Vec<String> {
    let mut used = BTreeSet::new();
    for (_, manifest) in crates(repo) {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            used.append(&mut keys(&manifest, section));
        }
    }
    let shared = repo.get("Cargo.toml").map(parsed);
    let shared = shared.as_ref().and_then(|root| root.get("workspace")?.as_table());
    let shared = shared.map(|workspace| keys(workspace, "dependencies")).unwrap_or_default();
    shared.difference(&used).map(|name| format!("Cargo.toml: nobody uses {name}")).collect()
}

fn versions_are_chosen_once(repo: &Repo) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, manifest) in crates(repo) {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in manifest.get(section).and_then(Value::as_table).into_iter().flatten() {
                if value.get("workspace").and_then(Value::as_bool) != Some(true) {
                    wrong.push(format!("{path}: {name} is not the workspace's"));
                }
            }
        }
    }
    wrong
}

fn crates_inherit(repo: &Repo) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, manifest) in crates(repo) {
        let inherits =
            |value: Option<&Value>| value.and_then(|value| value.get("workspace")?.as_bool()) == Some(true);
        let missing = INHERITED.iter().filter(|field| !inherits(manifest["package"].get(**field)));
        wrong.extend(missing.map(|field| format!("{path}: no {field}.workspace = true")));
        if !inherits(manifest.get("lints")) {
            wrong.push(format!("{path}: no lints.workspace = true"));
        }
    }
    wrong
}

#[test]
fn dependencies_point_one_way() {
    let uses = |name: &str, used: &str| {
        format!("[package]\nname = \"{name}\"\n[dependencies]\n{used}.workspace = true\n")
    };
    check(
        crates_use_whom_they_may,
        &[
            &[("drivers/local/Cargo.toml", &uses("skep-driver-local", "skep-core"))],
            &[("agent/Cargo.toml", &uses("skep-agent", "skep-tests"))],
            &[("new/Cargo.toml", &uses("skep-new", "skep-types"))],
        ],
    );
}

#[test]
fn shared_dependencies_are_shared() {
    check(shared_dependencies_are_used, &[&[("Cargo.toml", "[workspace.dependencies]\nrand = \"1\"\n")]]);
    check(
        versions_are_chosen_once,
        &[&[("agent/Cargo.toml", "[package]\nname = \"skep-agent\"\n[dependencies]\nrand = \"1\"\n")]],
    );
}

#[test]
fn licence_edition_and_lints_are_the_workspaces() {
    check(
        crates_inherit,
        &[
            &[(
                "agent/Cargo.toml",
                "[package]\nname = \"skep-agent\"\nlicense = \"MIT\"\n[lints]\nworkspace = true\n",
            )],
            &[(
                "agent/Cargo.toml",
                "[package]\nname = \"a\"\nlicense.workspace = true\nedition.workspace = true\npublish.workspace = true\n",
            )],
        ],
    );
}
