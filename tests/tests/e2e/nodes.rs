//! What a swarm at rest looks like, from every side.

use std::time::Duration;

use skep_tests::processes::Processes;
use skep_tests::wait::until_true;

/// The swarm elects again within 11 s of losing its leader, and lists its nodes as ready a moment later.
const SETTLED: Duration = Duration::from_secs(45);

/// Docker lists as many nodes as there are hosts, all ready, with their roles; skep lists the same hosts, all Ready;
/// the engine has a container for each.
pub(crate) fn assert_swarm(cluster: &Processes, swarm: &str, managers: usize, workers: usize) {
    let docker = cluster.docker(&["--swarm", swarm]);
    let mut seen = None;
    let what = format!("{managers} managers and {workers} workers in {swarm}");
    until_true(SETTLED, &what, || {
        seen = docker.nodes();
        seen.as_ref().is_some_and(|nodes| {
            let ready = nodes.iter().filter(|(_, status, _)| status == "Ready").count();
            let managing = nodes.iter().filter(|(.., role)| role == "Leader" || role == "Reachable").count();
            nodes.len() == managers + workers && ready == nodes.len() && managing == managers
        })
    });
    let mut nodes: Vec<String> =
        seen.unwrap_or_default().into_iter().map(|(hostname, ..)| hostname).collect();
    nodes.sort();
    let filter = format!("swarm={swarm}");
    let mut hosts = cluster.skep().lines(&["ls", "-q", "--filter", &filter, "--filter", "phase=Ready"]);
    hosts.sort();
    assert_eq!(nodes, hosts, "nodes and hosts");
    for host in &hosts {
        cluster.engine().container(cluster.cluster(), host);
    }
}
