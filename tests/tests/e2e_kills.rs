//! `kill -9` of a coordinator at moments spread over the creation of a swarm: the swarm comes out as if nothing was.
//!
//! One cluster serves all rounds: create · kill at the moment · a leader answers · the operation finishes · five hosts,
//! five nodes · the killed one returns · the swarm goes. A moment is a count of events, taken from an undisturbed round.

#![allow(clippy::unwrap_used, reason = "a step that fails fails the test")]

#[path = "e2e/nodes.rs"]
mod nodes;

use std::time::{Duration, Instant};

use skep_tests::print;
use skep_tests::processes::{Events, Processes};
use skep_tests::wait::{until, until_true};

const SWARM: &str = "demo";
const MOMENTS: usize = 10;
/// Several times what an undisturbed creation takes, and the lease of a killed owner.
const FINISHED: Duration = Duration::from_secs(120);
/// The promise: after the loss of the leader another one answers within this.
const NEW_LEADER: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, Copy)]
enum Victim {
    Leader,
    Follower,
    /// The coordinator that holds the stream of an agent of the new swarm.
    Holder,
}

#[test]
fn kills_during_a_creation_change_nothing() {
    let mut cluster = Processes::start(3);
    let events = undisturbed(&cluster);
    print(&format!("undisturbed: {events} events"));
    let mut slowest = Duration::ZERO;
    for moment in 0..MOMENTS {
        // From just after the first to just before the last.
        let after = 1 + (events - 2) * moment / (MOMENTS - 1);
        slowest = slowest.max(round(&mut cluster, Victim::Leader, after));
    }
    round(&mut cluster, Victim::Follower, events / 2);
    round(&mut cluster, Victim::Holder, events / 2);
    // Last: on a machine that is too busy for it, all else has been looked at.
    assert!(slowest <= NEW_LEADER, "a new leader took {slowest:.2?} to answer");
}

/// How many events a creation has.
fn undisturbed(cluster: &Processes) -> usize {
    let events = Events::follow(&cluster.skep());
    let started = Instant::now();
    let operation = create(cluster);
    finish(cluster, &operation);
    print(&format!("undisturbed: {:.1?}", started.elapsed()));
    nodes::assert_swarm(cluster, SWARM, 3, 2);
    let count = events.count();
    for line in events.lines() {
        print(&format!("  {line}"));
    }
    remove(cluster);
    count
}

/// Returns how long the cluster gave no answer.
fn round(cluster: &mut Processes, victim: Victim, after: usize) -> Duration {
    let events = Events::follow(&cluster.skep());
    let started = Instant::now();
    let operation = create(cluster);
    until_true(FINISHED, &format!("{after} events"), || events.count() >= after);
    let last = events.lines().last().cloned().unwrap_or_default();
    let at = choose(cluster, victim);
    let moment = started.elapsed();
    cluster.kill(at);
    let answered = answer(cluster, at);
    finish(cluster, &operation);
    let took = started.elapsed();
    print(&format!(
        "{victim:?} c{} killed after {after} events, {moment:.1?} ({last}): answer after {answered:.2?}, done after {took:.1?}",
        at + 1
    ));
    nodes::assert_swarm(cluster, SWARM, 3, 2);
    assert_eq!(cluster.containers().len(), 5, "five hosts");
    cluster.restart(at);
    remove(cluster);
    answered
}

fn create(cluster: &Processes) -> String {
    cluster.skep().text(&["swarm", "create", SWARM, "--managers", "3", "--workers", "2", "--no-wait"])
}

fn choose(cluster: &Processes, victim: Victim) -> usize {
    let leader = cluster.leader();
    match victim {
        Victim::Leader => leader,
        Victim::Follower => (0..cluster.len()).find(|at| *at != leader).unwrap(),
        Victim::Holder => until(FINISHED, "an agent has a stream", || holder(cluster)).0,
    }
}

fn holder(cluster: &Processes) -> Option<usize> {
    cluster.skep().lines(&["ls", "-q"]).iter().find_map(|host| cluster.holder(host))
}

/// Until a list, which has to be linearizable, comes back through the others.
fn answer(cluster: &Processes, killed: usize) -> Duration {
    let others = cluster.others(killed);
    let took = until_true(FINISHED, "the others answer", || others.ask(&["ls", "-q"]).code == 0);
    assert_ne!(cluster.leader(), killed, "a dead coordinator leads");
    took
}

fn finish(cluster: &Processes, operation: &str) {
    let skep = cluster.skep();
    let state = || skep.json(&["operation", "ls", "-o", "json"]);
    let (ended, _) = until(FINISHED, &format!("{operation} has finished"), || {
        let all = state();
        let row = all.as_array().unwrap().iter().find(|row| row["id"] == *operation).unwrap().clone();
        (row["state"] != "Running").then_some(row)
    });
    assert_eq!(ended["state"], "Succeeded", "{ended}");
}

fn remove(cluster: &Processes) {
    cluster.skep().text(&["swarm", "rm", "-y", SWARM]);
    assert_eq!(cluster.skep().text(&["ls", "-q"]), "");
    assert_eq!(cluster.containers(), Vec::<String>::new());
    assert_eq!(cluster.volumes(), Vec::<String>::new());
}
