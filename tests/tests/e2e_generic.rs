//! Machines that are there already: adopted over SSH from lists of all kinds, kept as a swarm, rebooted, dialled where they
//! reach nobody, and given back as they were found.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a step that fails fails the test")]

#[path = "../../drivers/ssh/tests/sshd/container.rs"]
#[allow(dead_code, reason = "shared with the tests of SSH, which use all of it")]
mod container;

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use container::{Container, keygen};
use skep_tests::print;
use skep_tests::processes::{Answer, Processes, Settings};
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
        self.open_to(Container::start(container::BOOT))
    }

    fn open_to(&self, machine: Container) -> Container {
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
        let added = self.give(&["add", name, "--driver", "generic"], &[("inventory", &inventory)]);
        assert_eq!(added.code, 0, "{}", added.stderr);
    }

    /// `skep account …` with the key and these credentials, each in a file.
    fn give(&self, words: &[&str], credentials: &[(&str, &str)]) -> Answer {
        let mut files = vec![format!("ssh-key={}", self.key.display())];
        for (name, text) in credentials {
            let path = self.cluster.folder().join(name);
            std::fs::write(&path, text).unwrap();
            files.push(format!("{name}={}", path.display()));
        }
        let mut args = vec!["account"];
        args.extend(words);
        for file in &files {
            args.extend(["--credential-file", file]);
        }
        self.cluster.skep().ask(&args)
    }
}

/// What a person finds where the answer should have been.
fn refused(answer: &Answer, parts: &[&str]) {
    assert_ne!(answer.code, 0);
    for part in parts {
        assert!(answer.stderr.contains(part), "{part:?} is missing in {}", answer.stderr);
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
fn machines_come_from_lists_of_all_kinds_and_reboot() {
    let office = Office::open();
    let machine = office.open_to(Container::start_again(container::BOOT));
    let files = machine.sh(FILES);
    let skep = office.cluster.skep();
    let add = ["add", "office", "--driver", "generic"];
    let bad = office.give(&add, &[("inventory", "[web]\nweb-1 ansible_port=many\n")]);
    refused(&bad, &["credentials.inventory", "host web-1", "\"many\" is no port"]);

    // Ansible's INI; and the machine reboots.
    let ini = format!("[web]\nweb-1 ansible_host={}\n[web:vars]\nansible_user=root\n", machine.address);
    let added = office.give(&add, &[("inventory", &ini)]);
    assert_eq!(added.code, 0, "{}", added.stderr);
    skep.text(&["create", "web-1", "--account", "office"]);
    let boot = || machine.sh("cut -d ' ' -f 22 /proc/1/stat");
    let before = boot();
    let started = std::time::Instant::now();
    skep.text(&["restart", "web-1"]);
    print(&format!("rebooted and ready after {:.1?}", started.elapsed()));
    assert_ne!(boot(), before, "it runs the same boot as before");
    assert!(skep.text(&["status", "web-1"]).ends_with("Ready"));
    assert_eq!(office.cluster.docker(&["web-1"]).text(&["ps", "-q"]), "");
    refused(&skep.ask(&["stop", "web-1"]), &["cannot do that to web-1", "restart"]);
    skep.text(&["rm", "-y", "web-1"]);

    // Ansible's YAML, by a word that only ~/.ssh/config knows; a wrong list changes nothing.
    let yaml =
        "all:\n  children:\n    web:\n      hosts:\n        web-2:\n          ansible_host: web.office\n";
    let config = format!("Host web.office\n  HostName {}\n  User root\n", machine.address);
    let rotated = office.give(&["rotate", "office"], &[("inventory", yaml), ("ssh-config", &config)]);
    assert_eq!(rotated.code, 0, "{}", rotated.stderr);
    let bad = office.give(&["rotate", "office"], &[("inventory", "- name: web-2\n")]);
    refused(&bad, &["credentials.inventory", "machine 1: has no address"]);
    let bad = office.give(&["rotate", "office"], &[("ssh-config", "Host web\n  Include more\n")]);
    refused(&bad, &["credentials.ssh-config", "line 2 of the SSH configuration"]);
    skep.text(&["create", "web-2", "--account", "office"]);
    skep.text(&["rm", "-y", "web-2"]);

    // A list of one request.
    let create = |name: &str, list: &str| {
        skep.ask(&["create", name, "--account", "office", "--generic-machines", list])
    };
    refused(&create("web-3", "name,colour\nweb-3,red\n"), &["line 1: there is no column \"colour\""]);
    let made = create("web-3", &format!("name,address\nweb-3,{}\n", machine.address));
    assert_eq!(made.code, 0, "{}", made.stderr);
    skep.text(&["rm", "-y", "web-3"]);
    assert_eq!(machine.sh(FILES), files, "files");
}

#[test]
fn a_machine_that_never_answers_is_forgotten_by_force() {
    let office = Office::open();
    let machine = Container::boot();
    machine.let_in("root", &office.key);
    office.account("office", &[("lost", &machine)]);
    let skep = office.cluster.skep();
    skep.text(&["create", "lost", "--account", "office", "--no-wait"]);
    until_true(SOON, "its agent is there", || skep.text(&["status", "lost"]).contains("Installing"));
    machine.kill();
    let removed = skep.ask(&["rm", "--force", "lost"]);
    refused(&removed, &["forgotten, with the agent left on its machine", &machine.address]);
    assert_eq!(skep.text(&["ls", "-q"]), "");
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
        let held =
            host["coordinator"].as_str().is_some_and(|id| !id.is_empty() && id != format!("c{}", holder + 1));
        held && others.text(&["status", "lonely"]).ends_with("Ready")
    });
    others.text(&["rm", "-y", "lonely"]);
    assert_eq!(machine.sh(FILES), files, "files");
}
