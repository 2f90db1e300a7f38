//! All coordinators lose power at once. What they had promised stands, and nothing else happens.

#![allow(clippy::unwrap_used, reason = "a step that fails fails the test")]

#[path = "e2e/nodes.rs"]
mod nodes;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use skep_tests::print;
use skep_tests::processes::Processes;
use skep_tests::wait::until_true;

/// Agents try again at growing intervals of a few seconds.
const AGENTS_RETURN: Duration = Duration::from_secs(60);

#[test]
fn a_blackout_loses_nothing() {
    let mut cluster = Processes::start(3);
    cluster.skep().text(&["swarm", "create", "demo", "--managers", "3", "--workers", "2"]);
    let before = picture(&cluster);
    let started = Instant::now();
    for at in 0..cluster.len() {
        cluster.kill(at);
    }
    cluster.restart_all();
    until_true(AGENTS_RETURN, "all agents are back", || connected(&cluster) == before.hosts.len() as u64);
    print(&format!("all agents were back {:.1?} after the blackout", started.elapsed()));
    assert_eq!(picture(&cluster), before);
    nodes::assert_swarm(&cluster, "demo", 3, 2);
    // Writes go on where they were.
    cluster.skep().text(&["create", "after"]);
    cluster.skep().text(&["rm", "-y", "after"]);
    assert_eq!(picture(&cluster), before);
}

/// What must not change.
#[derive(Debug, PartialEq, Eq)]
struct Picture {
    /// Name, with id, phase, incarnation, instance and node.
    hosts: BTreeMap<String, Vec<String>>,
    containers: Vec<String>,
    volumes: Vec<String>,
}

fn picture(cluster: &Processes) -> Picture {
    let mut containers = cluster.containers();
    let mut volumes = cluster.volumes();
    containers.sort();
    volumes.sort();
    let fields = ["id", "phase", "incarnation", "provider_id", "node_id", "role"];
    let hosts = cluster.skep().json(&["ls", "-o", "json"]);
    let hosts = hosts.as_array().unwrap().iter().map(|host| {
        let values = fields.iter().map(|field| host[*field].to_string()).collect();
        (host["name"].as_str().unwrap().to_owned(), values)
    });
    Picture { hosts: hosts.collect(), containers, volumes }
}

/// Agent streams that the coordinators hold, as they tell the leader.
fn connected(cluster: &Processes) -> u64 {
    let status = cluster.status();
    status["coordinators"].as_array().unwrap().iter().map(|row| row["agents"].as_u64().unwrap()).sum()
}
