//! Machines that are there already, adopted over SSH: from the request to every agent's enrolment.
//!
//! They have no engine, so that nothing else takes their time. Two more machines of the same request cannot be adopted,
//! one for want of an answer and one for another host key than the known one; they must delay nobody.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use skep_proto::v1::Policy;
use skep_types::limits;

use super::{Api, Figures};
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
const BAD: u32 = 2;
const ACCOUNT: &str = "office";
/// Where hosts without an engine stay.
const ENROLLED: &str = "Installing";
/// What a person who asks is told of them.
const WHY: [(&str, &str); BAD as usize] =
    [("fleet-1", "did not answer within"), ("fleet-2", "the host key of")];
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Debug, Clone, Copy)]
pub struct SshOptions {
    pub machines: u32,
}

/// Panics where a step fails or takes too long; whatever was started has ended then, too.
pub fn ssh<W: Write>(options: &SshOptions, figures: &mut Figures<W>) -> io::Result<()> {
    // With the patience of every day: a machine that does not answer takes as long as a call may take in a test.
    let settings = Settings { driver_call: limits::DRIVER_CALL, ..Settings::default() };
    let folder = tempfile::tempdir()?;
    let key = keygen(folder.path(), "id", &["-t", "ed25519"]);
    let lone = boot(1, &key);
    let fleet = boot((options.machines + BAD) as usize, &key);
    spoil(&fleet);
    // Machines take a while to boot: a cluster that had waited for them would look for orphans on all of them meanwhile.
    let cluster = Processes::start_with(COORDINATORS, &settings);
    account(&cluster, &key, &lone[0], &fleet);
    let api = Api::connect(&cluster.config(), cluster.address(0));
    let one = adopted(&api, "one", 1, 1);
    let all = adopted(&api, "fleet", options.machines + BAD, options.machines);
    for (host, why) in WHY {
        until_true(PATIENCE, &format!("{host} says why it is not adopted: {why}"), || {
            cluster.skep().text(&["explain", host]).contains(why)
        });
    }
    figures.print("one_s", one.as_secs_f64(), "s")?;
    figures.print("all_s", all.as_secs_f64(), "s")?;
    let connections = fleet[BAD as usize..].iter().map(connections).max().unwrap_or_default();
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
    let mut args = vec!["account", "add", ACCOUNT, "--driver", "generic"];
    for credential in &given {
        args.extend(["--credential-file", credential]);
    }
    cluster.skep().text(&args);
}

/// From the request for `count` hosts until the agents of `wanted` have enrolled.
fn adopted(api: &Api, name: &str, count: u32, wanted: u32) -> Duration {
    let started = Instant::now();
    let asked = api.create_of("generic", ACCOUNT, name, count, Policy::BestEffort);
    api.followed(&asked.id, PATIENCE, |seen| seen.phases.get(ENROLLED).is_some_and(|hosts| *hosts >= wanted));
    started.elapsed()
}

/// As the machine's own SSH server counted them.
fn connections(machine: &Container) -> u32 {
    machine.sh("journalctl --no-pager --unit ssh | grep -c 'Accepted publickey'").parse().unwrap()
}
