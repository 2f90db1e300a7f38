//! A swarm on EC2, emulated but for its machines: real agents come with the user-data of their instances.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use skep_tests::ec2::Ec2;
use skep_tests::print;
use skep_tests::processes::{Processes, Settings, run};
use skep_tests::wait::until_true;
use skep_tests_ec2::Behaviour;

/// A list of nodes follows the swarm's making within moments.
const SOON: Duration = Duration::from_secs(30);

fn containers(prefix: &str) -> Vec<String> {
    let filter = format!("label=skep-tests={prefix}");
    run(Command::new("docker").args(["ps", "-aq", "--filter", &filter])).lines().map(str::to_owned).collect()
}

#[test]
fn a_swarm_is_made_of_instances_and_leaves_none() {
    let prefix = format!("e2e-ec2-{}", std::process::id());
    let behaviour = Behaviour { visible_after: Duration::from_secs(1), ..Behaviour::limited() };
    let ec2 = Ec2::with_hosts(behaviour, &prefix);
    let settings = Settings { plugin_path: Some(ec2.plugin_path()), ..Settings::default() };
    let cluster = Processes::start_with(3, &settings);
    let skep = cluster.skep();
    ec2.add_account(&skep, "aws");
    let started = Instant::now();
    skep.text(&[
        "swarm",
        "create",
        "cloud",
        "--managers",
        "1",
        "--workers",
        "2",
        "--driver",
        "amazonec2",
        "--account",
        "aws",
    ]);
    print(&format!("a swarm of three on EC2 after {:.1?}; {:?}", started.elapsed(), ec2.world().seen()));
    let docker = cluster.docker(&["--swarm", "cloud"]);
    until_true(SOON, "all nodes are ready", || {
        let nodes = docker.nodes().unwrap_or_default();
        nodes.len() == 3 && nodes.iter().all(|(_, status, _)| status == "Ready")
    });
    // Nodes are called as EC2 calls its machines.
    let hosts: BTreeSet<String> = skep.lines(&["ls", "-q", "--filter", "phase=Ready"]).into_iter().collect();
    assert_eq!(hosts, ["cloud-manager-1", "cloud-worker-1", "cloud-worker-2"].map(str::to_owned).into());
    assert_eq!((ec2.world().seen().made, ec2.world().living().len(), containers(&prefix).len()), (3, 3, 3));
    skep.text(&["swarm", "rm", "-y", "cloud"]);
    assert_eq!(ec2.world().living(), BTreeSet::new(), "instances");
    ec2.settle();
    assert_eq!(containers(&prefix), Vec::<String>::new(), "machines");
}
