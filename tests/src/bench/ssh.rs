//! Machines that are there already, adopted over SSH: from the request to every agent's enrolment.
//!
//! They have no engine, so that nothing else takes their time. Two more machines of the same request cannot be adopted,
//! one for want of an answer and one for another host key than the known one; they must delay nobody.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use skep_types::limits;

use super::Figures;
use crate::processes::{Processes, Settings};
use crate::wait::until_true;

#[path = "../../../drivers/ssh/tests/sshd/container.rs"]
#[allow(dead_code, reason = "shared with the tests of SSH, which use all of it")]
mod container;

use container::{Container, keygen};

const COORDINATORS: usize = 3;
/// Machines that boot at once: more take each other's processors.
const BOOTING: usize = 8;
/// Machines that cannot be adopted.
const BAD: usize = 2;
/// What a person who asks is told of them.
const WHY: [(&str, &str); BAD] = [("fleet-1", "did not answer within"), ("fleet-2", "the host key of")];
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Debug, Clone, Copy)]
pub struct SshOptions {
    pub machines: usize,
}

/// Panics where a step fails or takes too long; whatever was started has ended then, too.
pub fn ssh<W: Write>(options: &SshOptions, figures: &mut Figures<W>) -> io::Result<()> {
    // With the patience of every day: a machine that does not answer takes as long as a call may take in a test.
    let settings = Settings { driver_call: limits::DRIVER_CALL, ..Settings::default() };
    let cluster = Processes::start_with(COORDINATORS, &settings);
    let key = keygen(cluster.folder(), "id", &["-t", "ed25519"]);
    let lone = boot(1, &key);
    let fleet = boot(options.machines + BAD, &key);
    spoil(&fleet);
    account(&cluster, &key, &lone[0], &fleet);
    let one = adopted(&cluster, "one", 1, 1);
    let all = adopted(&cluster, "fleet", fleet.len(), options.machines);
    for (host, why) in WHY {
        until_true(PATIENCE, &format!("{host} says why it is not adopted: {why}"), || {
            cluster.skep().text(&["explain", host]).contains(why)
        });
    }
    figures.print("one_s", one.as_secs_f64(), "s")?;
    figures.print("all_s", all.as_secs_f64(), "s")?;
    let connections = fleet[BAD..].iter().map(connections).max().unwrap_or_default();
    figures.print("connections_per_host", f64::from(connections), "connections")
}

fn boot(count: usize, key: &Path) -> Vec<Container> {
    let one = || {
        let machine = Container::boot();
        machine.let_in("root", key);
        machine
    };
    let mut machines = Vec::with_capacity(count);
    while machines.len() < count {
        let wave = BOOTING.min(count - machines.len());
        let booted = std::thread::scope(|scope| {
            let booting: Vec<_> = (0..wave).map(|_| scope.spawn(one)).collect();
            booting.into_iter().map(|machine| machine.join().unwrap()).collect::<Vec<_>>()
        });
        machines.extend(booted);
    }
    machines
}

/// The first answers nobody, the second gets another host key than the one that is known.
fn spoil(fleet: &[Container]) {
    fleet[0].sh("iptables -A INPUT -p tcp --dport 22 -j DROP");
    fleet[1].sh("rm /etc/ssh/ssh_host_*_key* && ssh-keygen -qA && systemctl restart ssh");
}

fn account(cluster: &Processes, key: &Path, lone: &Container, fleet: &[Container]) {
    let mut inventory = format!("name,address\none,{}\n", lone.address);
    let mut known = String::new();
    for (number, machine) in (1..).zip(fleet) {
        writeln!(inventory, "fleet-{number},{}", machine.address).unwrap();
    }
    writeln!(known, "{} {}", fleet[1].address, fleet[2].host_key("ed25519")).unwrap();
    let file = |name: &str, text: &str| {
        let path = cluster.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let given = [
        format!("ssh-key={}", key.display()),
        format!("inventory={}", file("inventory.csv", &inventory).display()),
        format!("known-hosts={}", file("known_hosts", &known).display()),
    ];
    let mut args = vec!["account", "add", "office", "--driver", "generic"];
    for credential in &given {
        args.extend(["--credential-file", credential]);
    }
    cluster.skep().text(&args);
}

/// From the request for `count` hosts until the agents of `wanted` have enrolled.
fn adopted(cluster: &Processes, name: &str, count: usize, wanted: usize) -> Duration {
    let (skep, count) = (cluster.skep(), count.to_string());
    let started = Instant::now();
    skep.text(&["create", name, "--count", &count, "--account", "office", "--no-wait"]);
    let filter = format!("name={name}*");
    until_true(PATIENCE, &format!("{wanted} of {name} are enrolled"), || {
        skep.lines(&["ls", "-q", "--filter", &filter, "--filter", "phase=Installing"]).len() >= wanted
    });
    started.elapsed()
}

/// As the machine's own SSH server counted them.
fn connections(machine: &Container) -> u32 {
    machine.sh("journalctl --no-pager --unit ssh | grep -c 'Accepted publickey'").parse().unwrap()
}
