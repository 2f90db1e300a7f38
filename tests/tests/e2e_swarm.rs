//! One person's day: a host, a swarm of five beside it, plain `docker` on both, power, an accident, and the way out.

#![allow(clippy::unwrap_used, reason = "a step that fails fails the test")]

#[path = "e2e/busybox.rs"]
mod busybox;
#[path = "e2e/nodes.rs"]
mod nodes;

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use skep_tests::print;
use skep_tests::processes::Processes;
use skep_tests::wait::{until, until_true};

/// A container host is ready in seconds, a swarm of five in a few more; this is for a machine that is busy.
const SOON: Duration = Duration::from_secs(60);
/// Without a heartbeat for 12 s an agent is not connected; looking takes a moment.
const UNREACHABLE: Duration = Duration::from_secs(15);

#[test]
fn a_host_and_a_swarm_from_birth_to_death() {
    let cluster = Processes::start(3);
    let one = a_host_is_made(&cluster);
    let five = a_swarm_is_made(&cluster);
    docker_works_through_the_front_door(&cluster);
    power_keeps_the_node(&cluster);
    an_accident_heals(&cluster);
    a_manager_is_removed(&cluster);
    everything_is_removed(&cluster);
    five_are_made_in_parallel(one, five);
}

fn a_host_is_made(cluster: &Processes) -> Duration {
    let skep = cluster.skep();
    // Once to be warm: the network is made, the image is in the page cache.
    skep.text(&["create", "cold"]);
    skep.text(&["rm", "-y", "cold"]);
    let started = Instant::now();
    skep.text(&["create", "solo"]);
    let took = started.elapsed();
    assert_eq!(skep.text(&["status", "solo"]).split_whitespace().last(), Some("Ready"));
    took
}

fn a_swarm_is_made(cluster: &Processes) -> Duration {
    let started = Instant::now();
    cluster.skep().text(&["swarm", "create", "demo", "--managers", "3", "--workers", "2"]);
    let took = started.elapsed();
    nodes::assert_swarm(cluster, "demo", 3, 2);
    took
}

/// Last: on a machine that is too busy for it, all else has been looked at.
fn five_are_made_in_parallel(one: Duration, five: Duration) {
    let bound = one.mul_f64(1.5) + Duration::from_secs(10);
    print(&format!("one host: {one:.1?}; a swarm of five: {five:.1?}, at most {bound:.1?}"));
    assert!(five <= bound, "a swarm of five took {five:.1?}, more than {bound:.1?}");
}

fn docker_works_through_the_front_door(cluster: &Processes) {
    let docker = cluster.docker(&["demo-worker-1"]);
    assert_eq!(docker.text(&["ps", "-q"]), "");
    docker.with_input(&["import", "-", "busybox"], &busybox::image());
    let echoed = docker.with_input(&["run", "--rm", "-i", "busybox", "/busybox", "cat"], b"through the door");
    assert_eq!(echoed, "through the door");
    let script = "i=0; while :; do echo tick $i; i=$((i+1)); /busybox sleep 0.2; done";
    docker.text(&["run", "-d", "--name", "ticker", "busybox", "/busybox", "sh", "-c", script]);
    assert_eq!(docker.text(&["exec", "ticker", "/busybox", "echo", "inside"]), "inside");
    assert_eq!(
        docker.with_input(&["exec", "-i", "ticker", "/busybox", "wc", "-c"], &[b'x'; 200_000]),
        "200000"
    );
    let mut follower = docker.command(&["logs", "-f", "ticker"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(follower.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.take(5).all(|line| line.starts_with("tick ")));
    docker.text(&["rm", "-f", "ticker"]);
    // The stream ends with its container.
    follower.wait().unwrap();
    a_build_streams(&docker);
}

/// The classic builder: a context up, a log down, on one connection.
fn a_build_streams(docker: &skep_tests::processes::Docker) {
    let dockerfile = "FROM busybox\nRUN [\"/busybox\", \"touch\", \"/built\"]\nLABEL built=yes\n";
    let mut command = docker.command(&["build", "-t", "built", "-"]);
    command.env("DOCKER_BUILDKIT", "0").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut build = command.spawn().unwrap();
    std::io::Write::write_all(&mut build.stdin.take().unwrap(), dockerfile.as_bytes()).unwrap();
    let output = build.wait_with_output().unwrap();
    let log = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{log}{}", String::from_utf8_lossy(&output.stderr));
    assert!(log.contains("Successfully built"), "{log}");
    assert_eq!(docker.text(&["run", "--rm", "built", "/busybox", "ls", "/built"]), "/built");
}

fn power_keeps_the_node(cluster: &Processes) {
    let (skep, host) = (cluster.skep(), "demo-worker-2");
    let node = node_id(cluster, host);
    skep.text(&["stop", host]);
    assert_eq!(phase(cluster, host), "Stopped");
    assert_eq!(running(cluster, host), "false");
    for again in ["start", "restart"] {
        skep.text(&[again, host]);
        assert_eq!(phase(cluster, host), "Ready", "after {again}");
        assert_eq!(node_id(cluster, host), node, "after {again}");
    }
    skep.text(&["kill", host]);
    assert_eq!(phase(cluster, host), "Stopped");
    skep.text(&["start", host]);
    assert_eq!(node_id(cluster, host), node, "after kill and start");
    nodes::assert_swarm(cluster, "demo", 3, 2);
}

/// Somebody kills a host's container behind our back.
fn an_accident_heals(cluster: &Processes) {
    let host = "demo-worker-1";
    let node = node_id(cluster, host);
    let container = cluster.engine().container(cluster.cluster(), host);
    cluster.engine().docker(&["kill", &container]);
    let lost = until_true(UNREACHABLE, "the agent counts as not connected", || {
        let (status, reason) = cluster.skep().condition(host, "AgentConnected");
        status == "False" && reason == "Unreachable"
    });
    cluster.engine().docker(&["start", &container]);
    let back = until_true(SOON, "the agent is connected again", || {
        cluster.skep().condition(host, "AgentConnected").0 == "True"
    });
    print(&format!("a killed host: Unreachable after {lost:.1?}, connected {back:.1?} after its start"));
    assert_eq!(node_id(cluster, host), node);
    nodes::assert_swarm(cluster, "demo", 3, 2);
}

fn a_manager_is_removed(cluster: &Processes) {
    let host = "demo-manager-2";
    let container = cluster.engine().container(cluster.cluster(), host);
    cluster.skep().text(&["rm", "-y", host]);
    assert!(!cluster.containers().contains(&container), "the container of {host} is gone");
    let docker = cluster.docker(&["--swarm", "demo"]);
    let (left, _) = until(SOON, "managers answer", || docker.nodes());
    assert!(left.iter().all(|(hostname, ..)| hostname != host), "{host} left a ghost: {left:?}");
    // With quorum, the swarm takes writes.
    docker.text(&["network", "create", "-d", "overlay", "after"]);
    docker.text(&["network", "rm", "after"]);
}

fn everything_is_removed(cluster: &Processes) {
    let skep = cluster.skep();
    skep.text(&["swarm", "rm", "-y", "demo"]);
    skep.text(&["rm", "-y", "solo"]);
    assert_eq!(skep.text(&["ls", "-q"]), "");
    assert_eq!(skep.json(&["swarm", "ls", "-o", "json"]), serde_json::json!([]));
    assert_eq!(cluster.containers(), Vec::<String>::new());
    assert_eq!(cluster.volumes(), Vec::<String>::new());
}

fn inspected(cluster: &Processes, host: &str, field: &str) -> String {
    cluster.skep().json(&["inspect", host])[field].as_str().unwrap().to_owned()
}

fn phase(cluster: &Processes, host: &str) -> String {
    inspected(cluster, host, "phase")
}

fn node_id(cluster: &Processes, host: &str) -> String {
    let id = inspected(cluster, host, "node_id");
    assert!(!id.is_empty(), "{host} has a node");
    id
}

fn running(cluster: &Processes, host: &str) -> String {
    let container = cluster.engine().container(cluster.cluster(), host);
    cluster.engine().docker(&["inspect", "-f", "{{.State.Running}}", &container]).trim().to_owned()
}
