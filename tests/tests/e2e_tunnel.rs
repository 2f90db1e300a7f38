//! A machine that lets in nothing but SSH, and lets nothing out: its agent's session goes through the driver's way in.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a step that fails fails the test")]

#[path = "../../drivers/ssh/tests/sshd/container.rs"]
#[allow(dead_code, reason = "shared with the tests of SSH, which use all of it")]
mod container;

use std::time::{Duration, Instant};

use container::{Container, keygen};
use skep_tests::print;
use skep_tests::processes::{Processes, Settings};
use skep_tests::wait::until_true;

/// Engines of containers start in seconds, and accounts change hands in as many.
const SOON: Duration = Duration::from_secs(60);
const CLOSE: &str = "iptables -A INPUT -i eth0 -p tcp --dport 22 -j ACCEPT
    iptables -A INPUT -i eth0 -j DROP
    iptables -A OUTPUT -o eth0 -p tcp --sport 22 -j ACCEPT
    iptables -A OUTPUT -o eth0 -j DROP";
const SWARM: &str = "docker info --format '{{.Swarm.LocalNodeState}}'";
const FILES: &str = "find /usr/local/bin /etc/skep /etc/systemd/system /var/lib/skep 2>/dev/null | sort";
/// Logins that last.
const LOGINS: &str = "ss -Htn state established 'sport = :22' | wc -l";

#[test]
fn a_machine_that_lets_in_nothing_but_ssh_is_kept_through_it() {
    let settings = Settings { dial_after: Duration::from_secs(3), ..Settings::default() };
    let mut cluster = Processes::start_with(3, &settings);
    let key = keygen(cluster.folder(), "id", &["-t", "ed25519"]);
    let machine = Container::start(container::BOOT);
    machine.let_in("root", &key);
    until_true(SOON, "the machine's own engine runs", || machine.exec("docker info").status.success());
    let files = machine.sh(FILES);
    machine.sh(CLOSE);

    let skep = cluster.skep();
    let credential = format!("ssh-key={}", key.display());
    skep.text(&["account", "add", "closed", "--driver", "generic", "--credential-file", &credential]);
    let started = Instant::now();
    let place = ["--account", "closed", "--generic-ip-address", &machine.address];
    let create = ["swarm", "create", "team", "--managers", "1", "--driver", "generic"];
    skep.text(&[&create[..], &place].concat());
    print(&format!("ready through SSH after {:.1?}", started.elapsed()));
    assert_eq!(machine.sh(SWARM), "active", "the permit to begin a swarm came through the session");
    assert!(skep.text(&["status", "team-manager-1"]).ends_with("Ready"));
    assert_eq!(machine.sh(LOGINS), "1", "nothing but the session is logged in");

    let holder = cluster.holder("team-manager-1").expect("a coordinator holds its session");
    cluster.kill(holder);
    let killed = Instant::now();
    let others = cluster.others(holder);
    until_true(SOON, "another coordinator takes its session up", || {
        let host = others.json(&["inspect", "team-manager-1"]);
        let by = host["coordinator"].as_str().unwrap_or_default();
        let held = !by.is_empty() && by != format!("c{}", holder + 1);
        held && others.text(&["status", "team-manager-1"]).ends_with("Ready")
    });
    print(&format!("taken up by another coordinator after {:.1?}", killed.elapsed()));
    others.text(&["swarm", "rm", "-y", "team"]);
    assert_eq!(machine.sh(SWARM), "inactive");
    assert_eq!(machine.sh(FILES), files, "files");
}
