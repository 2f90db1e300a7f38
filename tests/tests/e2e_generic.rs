//! Machines that are there already: adopted over SSH, kept as a swarm, dialled where they reach nobody, and given back as
//! they were found.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a step that fails fails the test")]

#[path = "../../drivers/ssh/tests/sshd/container.rs"]
#[allow(dead_code, reason = "shared with the tests of SSH, which use all of it")]
mod container;

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use container::{Container, keygen};
use skep_tests::print;
use skep_tests::processes::{Processes, Settings};
use skep_tests::wait::until_true;

/// Engines of containers start in seconds.
const SOON: Duration = Duration::from_secs(60);
/// All that stands where the agent puts its files; the image has some of its own there.
const FILES: &str = "find /usr/local/bin /etc/skep /etc/systemd/system /var/lib/skep 2>/dev/null | sort";

struct Office {
    cluster: Processes,
    key: PathBuf,
}

impl Office {
    fn open() -> Self {
        let settings = Settings { dial_after: Duration::from_secs(3), ..Settings::default() };
        let cluster = Processes::start_with(3, &settings);
        let key = keygen(cluster.folder(), "id", &["-t", "ed25519"]);
        Self { cluster, key }
    }

    /// A machine with an engine, which lets the coordinators in.
    fn machine(&self) -> Container {
        let machine = Container::start(container::BOOT);
        machine.let_in("root", &self.key);
        until_true(SOON, "the machine's own engine runs", || machine.exec("docker info").status.success());
        machine
    }

    /// An account that knows these machines by the names of the hosts they are to be.
    fn account(&self, name: &str, machines: &[(&str, &Container)]) {
        let mut inventory = "name,address\n".to_owned();
        for (host, machine) in machines {
            writeln!(inventory, "{host},{}", machine.address).unwrap();
        }
        let path = self.cluster.folder().join("inventory.csv");
        std::fs::write(&path, inventory).unwrap();
        let (key, inventory) = (self.key.display(), path.display());
        self.cluster.skep().text(&[
            "account",
            "add",
            name,
            "--driver",
            "generic",
            "--credential-file",
            &format!("ssh-key={key}"),
            "--credential-file",
            &format!("inventory={inventory}"),
        ]);
    }
}

/// What adopting must not change.
fn fingerprint(machine: &Container) -> String {
    let hostname = machine.sh("cat /etc/hostname; hostname");
    let engine = machine.sh("systemctl show docker --property MainPID,ActiveEnterTimestamp");
    let packages = machine.sh("dpkg-query -W | sha256sum");
    format!("{hostname}\n{engine}\n{packages}")
}

#[test]
fn machines_are_adopted_as_a_swarm_and_given_back_as_found() {
    let office = Office::open();
    let (first, second) = (office.machine(), office.machine());
    let before = (fingerprint(&first), fingerprint(&second));
    let files = first.sh(FILES);
    office.account("office", &[("team-manager-1", &first), ("team-worker-1", &second)]);
    let skep = office.cluster.skep();
    skep.text(&[
        "swarm",
        "create",
        "team",
        "--managers",
        "1",
        "--workers",
        "1",
        "--driver",
        "generic",
        "--account",
        "office",
    ]);
    let nodes = office.cluster.docker(&["--swarm", "team"]).nodes().expect("a list of nodes");
    assert_eq!(nodes.len(), 2, "{nodes:?}");
    assert_eq!((fingerprint(&first), fingerprint(&second)), before, "adopting changed a machine");
    let again = skep.ask(&[
        "create",
        "thief",
        "--driver",
        "generic",
        "--account",
        "office",
        "--generic-ip-address",
        &first.address,
    ]);
    assert!(again.code != 0 && again.stderr.contains("team-manager-1"), "{}", again.stderr);
    skep.text(&["swarm", "rm", "-y", "team"]);
    for (machine, before) in [(&first, before.0), (&second, before.1)] {
        assert_eq!(machine.sh(FILES), files, "files");
        assert_eq!(machine.sh("docker info --format '{{.Swarm.LocalNodeState}}'"), "inactive");
        assert_eq!(fingerprint(machine), before, "giving it back changed a machine");
    }
}

#[test]
fn an_agent_that_reaches_no_coordinator_is_dialled() {
    let office = Office::open();
    let machine = office.machine();
    let files = machine.sh(FILES);
    for at in 0..office.cluster.len() {
        let (_, port) = office.cluster.address(at).rsplit_once(':').unwrap();
        machine.sh(&format!("iptables -A OUTPUT -p tcp --dport {port} -j DROP"));
    }
    office.account("closed", &[("lonely", &machine)]);
    let skep = office.cluster.skep();
    let started = std::time::Instant::now();
    skep.text(&["create", "lonely", "--driver", "generic", "--account", "closed"]);
    print(&format!("dialled and ready after {:.1?}", started.elapsed()));
    assert_eq!(office.cluster.docker(&["lonely"]).text(&["ps", "-q"]), "");
    let mut office = office;
    let holder = office.cluster.holder("lonely").expect("a coordinator holds its session");
    office.cluster.kill(holder);
    let others = office.cluster.others(holder);
    until_true(SOON, "another coordinator dials it", || {
        let host = others.json(&["inspect", "lonely"]);
        let held = host["coordinator"].as_str().is_some_and(|id| id != format!("c{}", holder + 1));
        held && others.text(&["status", "lonely"]).ends_with("Ready")
    });
    others.text(&["rm", "-y", "lonely"]);
    assert_eq!(machine.sh(FILES), files, "files");
}
