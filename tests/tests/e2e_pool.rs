//! One swarm of thirty hosts over three drivers: containers of this engine, machines that were there before, and
//! instances of an emulated EC2. All are on one network, as the members of a swarm have to be.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a step that fails fails the test")]

#[path = "../../drivers/ssh/tests/sshd/container.rs"]
#[allow(dead_code, reason = "shared with the tests of SSH, which use all of it")]
mod container;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use container::{Container, keygen};
use skep_tests::ec2::{self, Ec2};
use skep_tests::print;
use skep_tests::processes::{Cli, Processes, Settings};
use skep_tests::wait::until_true;
use skep_tests_ec2::Behaviour;

const MANAGERS: usize = 3;
const HOSTS: usize = 30;
/// Ten engines start on two cores.
const BOOTED: Duration = Duration::from_secs(120);
/// A list of nodes follows the swarm's making within moments.
const SOON: Duration = Duration::from_secs(60);

const MAKE: [&str; 13] = [
    "swarm",
    "create",
    "pool",
    "--managers",
    "3",
    "--workers",
    "27",
    "--spread",
    "local",
    "--spread",
    "generic,account=office",
    "--spread",
    "amazonec2,account=aws",
];

/// Machines that let the coordinators in, and the account that knows them.
struct Office {
    key: PathBuf,
    machines: Vec<(Container, String)>,
}

impl Office {
    fn open(folder: &Path, network: &str, count: usize) -> Self {
        let key = keygen(folder, "id", &["-t", "ed25519"]);
        let machine = |_| {
            let machine = Container::start(container::BOOT);
            let address = machine.connect(network);
            machine.let_in("root", &key);
            (machine, address)
        };
        let machines: Vec<(Container, String)> = (0..count).map(machine).collect();
        for (machine, _) in &machines {
            until_true(BOOTED, "a machine's own engine runs", || {
                machine.exec("docker info").status.success()
            });
        }
        Self { key, machines }
    }

    /// The account knows the machines by the names of these hosts from now on.
    fn name(&self, skep: &Cli, folder: &Path, verb: &[&str], hosts: &[String]) {
        let rows = hosts.iter().zip(&self.machines).map(|(host, (_, address))| format!("{host},{address}\n"));
        let path = folder.join("inventory.csv");
        std::fs::write(&path, format!("name,address\n{}", rows.collect::<String>())).unwrap();
        let key = format!("ssh-key={}", self.key.display());
        let inventory = format!("inventory={}", path.display());
        let with = ["office", "--credential-file", &key, "--credential-file", &inventory];
        skep.text(&[&["account"], verb, &with].concat());
    }
}

#[test]
fn thirty_hosts_of_three_drivers_are_one_swarm() {
    let programs = ec2::programs();
    let settings = Settings { plugin_path: Some(programs.path().to_owned()), ..Settings::default() };
    let cluster = Processes::start_with(3, &settings);
    let skep = cluster.skep();
    // The network of the cluster's hosts is there with the first of them.
    skep.text(&["create", "first", "--driver", "local"]);
    let label = format!("label=skep-cluster={}", cluster.cluster());
    let network = cluster.engine().docker(&["network", "ls", "--filter", &label, "--format", "{{.Name}}"]);
    let network = network.trim();

    let behaviour = Behaviour { visible_after: Duration::from_secs(1), ..Behaviour::limited() };
    let ec2 = Ec2::with_hosts_on(network, behaviour, &format!("e2e-pool-{}", std::process::id()));
    ec2.add_account(&skep, "aws");
    let office = Office::open(cluster.folder(), network, HOSTS / 3);
    office.name(&skep, cluster.folder(), &["add", "--driver", "generic"], &["nobody".to_owned()]);
    let plan = skep.text(&[&MAKE[..], &["--dry-run"]].concat());
    let theirs = plan.lines().filter(|line| line.contains("(driver generic"));
    let theirs: Vec<String> = theirs.map(|line| line.split(' ').nth(2).unwrap().to_owned()).collect();
    assert_eq!(theirs.len(), HOSTS / 3, "{plan}");
    office.name(&skep, cluster.folder(), &["rotate"], &theirs);

    let started = Instant::now();
    skep.text(&MAKE);
    print(&format!("a swarm of {HOSTS} over three drivers after {:.1?}", started.elapsed()));
    let docker = cluster.docker(&["--swarm", "pool"]);
    until_true(SOON, "all nodes are ready", || {
        let nodes = docker.nodes().unwrap_or_default();
        nodes.len() == HOSTS && nodes.iter().all(|(_, status, _)| status == "Ready")
    });
    let rows = skep.json(&["ls", "-o", "json", "--filter", "swarm=pool"]);
    let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut managers = BTreeSet::new();
    for row in rows.as_array().unwrap() {
        let driver = row["template"]["driver"].as_str().unwrap();
        *hosts.entry(driver).or_default() += 1;
        if row["role"] == "manager" {
            managers.insert(driver);
        }
    }
    assert_eq!(hosts, BTreeMap::from(["amazonec2", "generic", "local"].map(|driver| (driver, HOSTS / 3))));
    assert_eq!(managers.len(), MANAGERS, "losing one driver takes one manager: {managers:?}");

    let started = Instant::now();
    skep.text(&["swarm", "rm", "-y", "pool"]);
    print(&format!("gone after {:.1?}", started.elapsed()));
    assert_eq!(ec2.world().living(), BTreeSet::new(), "instances");
    for (machine, _) in &office.machines {
        assert_eq!(machine.sh("docker info --format '{{.Swarm.LocalNodeState}}'"), "inactive");
    }
    assert_eq!(skep.lines(&["ls", "-q"]), ["first"]);
}
