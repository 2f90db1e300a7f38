//! What must not be done is refused with the field's name and a hint, and changes nothing.

#![allow(clippy::unwrap_used, reason = "a step that fails fails the test")]

#[path = "e2e/refused.rs"]
mod refused;
#[path = "e2e/strangers.rs"]
mod strangers;

use skep_tests::processes::Processes;

use refused::{Expected, refused};

/// As `skep` ends: see its reference.
const USAGE: i32 = 2;
const CONFLICT: i32 = 4;

#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let cluster = Processes::start(1);
    cluster.skep().text(&["create", "taken", "--request-id", "first"]);
    let before = picture(&cluster);
    bad_shapes(&cluster);
    bad_counts_and_names(&cluster);
    what_is_there_already(&cluster);
    assert_eq!(picture(&cluster), before, "what was refused has changed something");
    strangers::a_certificate_of_another_cluster(&cluster);
    strangers::callers_past_the_client(&cluster, "taken");
    assert_eq!(picture(&cluster), before, "a stranger has changed something");
    strangers::a_token_of_a_deleted_host(&cluster, "taken");
}

fn bad_shapes(cluster: &Processes) {
    let usage = |says| Expected { code: USAGE, says };
    refused(cluster, &["create", "new", "--driver", "abacus"], usage(&["abacus", "local"]));
    refused(cluster, &["create", "new", "--local-color", "red"], usage(&["--local-color"]));
    refused(cluster, &["create", "new", "--local-memory", "lots"], usage(&["local-memory", "512m"]));
    refused(
        cluster,
        &["create", "new", "--local-image", "skep/none:1"],
        usage(&["local-image", "host-image.sh"]),
    );
}

fn bad_counts_and_names(cluster: &Processes) {
    let usage = |says| Expected { code: USAGE, says };
    for even in ["0", "2", "4"] {
        let args = ["swarm", "create", "new", "--managers", even];
        refused(cluster, &args, usage(&["managers", "1, 3, 5 or 7"]));
    }
    for count in ["0", "100001"] {
        refused(cluster, &["create", "new", "--count", count], usage(&["count", "100000"]));
    }
    refused(cluster, &["create", "new", "--count", "2", "--min-count", "3"], usage(&["min_count"]));
    for name in ["New", "a.b", "a_b", "-a", "a-", "ü", &"x".repeat(64)] {
        refused(cluster, &["create", "--", name], usage(&["name", "DNS label"]));
        refused(cluster, &["swarm", "create", "--", name], usage(&["name", "DNS label"]));
    }
}

fn what_is_there_already(cluster: &Processes) {
    let conflict = |says| Expected { code: CONFLICT, says };
    refused(cluster, &["create", "taken"], conflict(&["taken", "already"]));
    refused(cluster, &["create", "other", "--request-id", "first"], conflict(&["request_id", "another"]));
    // The same again is the same, not another host.
    cluster.skep().text(&["create", "taken", "--request-id", "first"]);
}

/// Hosts, swarms and operations, with their revisions.
fn picture(cluster: &Processes) -> String {
    let skep = cluster.skep();
    let rows = |args: &[&str], fields: &[&str]| -> Vec<String> {
        let rows = skep.json(args);
        let row = |row: &serde_json::Value| fields.iter().map(|field| row[*field].to_string()).collect();
        rows.as_array().unwrap().iter().map(row).collect()
    };
    let hosts = rows(&["ls", "-o", "json"], &["id", "name", "revision", "phase"]);
    let swarms = rows(&["swarm", "ls", "-o", "json"], &["id", "name", "revision"]);
    let operations = rows(&["operation", "ls", "-o", "json"], &["id", "revision", "state"]);
    format!("{hosts:?} {swarms:?} {operations:?} {:?}", cluster.containers())
}
