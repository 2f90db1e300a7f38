//! Hosts by a plugin of Docker Machine that is written in Go: their whole life, creates that go wrong, and coordinators
//! that are killed in the middle of one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a step that fails fails the test")]

#[path = "../../drivers/machine/testdata/testhost.rs"]
mod testhost;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use skep_tests::print;
use skep_tests::processes::{Answer, Cli, Processes, Settings, machine_driver};
use skep_tests::wait::{until, until_true};
use tempfile::TempDir;

const DRIVER: &str = "machine/testhost";
/// A lease, the longest call, a boot: on a machine that is busy.
const SETTLED: Duration = Duration::from_secs(90);
/// A lost owner is known as such after this and a lease; longer creates are asked for again.
const DRIVER_CALL: Duration = Duration::from_secs(10);

struct World {
    cluster: Processes,
    _plugin_path: TempDir,
}

impl World {
    fn open(coordinators: usize, driver_call: Duration) -> Self {
        let folder = plugin_path();
        let plugin_path = Some(folder.path().to_owned());
        let settings = Settings { plugin_path, driver_call, ..Settings::default() };
        Self { cluster: Processes::start_with(coordinators, &settings), _plugin_path: folder }
    }

    fn create(&self, host: &str, more: &[&str]) -> Answer {
        // The cluster's end takes what has its label with it.
        let label = format!("skep-cluster={}", self.cluster.cluster());
        let mut words = vec!["create", host, "--driver", DRIVER, "--testhost-label", &label];
        words.extend(more);
        self.cluster.skep().ask(&words)
    }

    /// A host `cut` whose machine exists and whose create is far from its end; what the machine is called.
    fn begin_to_cut(&self) -> String {
        let answer = self.create("cut", &["--testhost-create-seconds", "60", "--no-wait"]);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        until_true(SETTLED, "the machine exists", || self.cluster.containers().len() == 1);
        self.inspect("{{.Name}}").trim_start_matches('/').to_owned()
    }

    /// Whether a coordinator's files say this of a machine.
    fn knows(&self, what: &str) -> bool {
        let found = Command::new("grep").args(["-rqsF", what]).arg(self.cluster.folder()).status();
        found.unwrap().success()
    }

    /// Something of the one container there is.
    fn inspect(&self, format: &str) -> String {
        let containers = self.cluster.containers();
        let [one] = &containers[..] else { panic!("one container: {containers:?}") };
        self.cluster.engine().docker(&["inspect", "--format", format, one]).trim().to_owned()
    }
}

/// The program calls plugins as it runs itself: one with a user of its own could not use the engine.
fn plugin_path() -> TempDir {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../drivers/machine/testdata/plugin");
    let plugins = testhost::folder(source, env!("CARGO_TARGET_TMPDIR"));
    let folder = tempfile::Builder::new().prefix("skep-e2e-path-").tempdir().unwrap();
    let script = format!(
        "#!/bin/sh\nexec '{}' --plugin-users none --path '{}:/usr/bin:/bin' \"$@\"\n",
        machine_driver().display(),
        plugins.display()
    );
    let path = folder.path().join("skep-driver-machine");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn phase(skep: &Cli, host: &str) -> String {
    let text = skep.text(&["status", host]);
    text.split_whitespace().last().unwrap_or_default().to_owned()
}

#[test]
fn a_host_lives_by_a_go_plugin_and_failures_leave_nothing() {
    let world = World::open(3, Duration::from_secs(60));
    flags_are_the_plugins(&world);
    a_host_lives(&world);
    let told = ["Create fails as asked", "Panic in the driver: as asked"];
    for (how, told) in ["--testhost-fail", "--testhost-panic"].into_iter().zip(told) {
        a_create_goes_wrong(&world, how, told);
    }
}

fn flags_are_the_plugins(world: &World) {
    let skep = world.cluster.skep();
    let described = skep.text(&["driver", "describe", DRIVER]);
    let help = skep.text(&["create", "--driver", DRIVER, "--help"]);
    for word in ["--testhost-image", "TESTHOST_IMAGE", "How long Create takes"] {
        assert!(described.contains(word) && help.contains(word), "no {word} in {described}{help}");
    }
    assert!(described.contains("testhost-secret"), "{described}");
}

fn a_host_lives(world: &World) {
    let (skep, host) = (world.cluster.skep(), "web");
    let started = std::time::Instant::now();
    let created = world.create(host, &["--testhost-create-seconds", "1"]);
    assert_eq!(created.code, 0, "{}{}", created.stdout, created.stderr);
    print(&format!("made and ready after {:.1?}", started.elapsed()));
    assert_eq!(phase(&skep, host), "Ready");
    assert_eq!(world.cluster.docker(&[host]).text(&["ps", "-q"]), "");
    let address = world.inspect("{{.NetworkSettings.IPAddress}}");
    assert_eq!(skep.text(&["ip", host]), address);
    let name = world.inspect("{{.Name}}");
    let shown = skep.json(&["inspect", host]).to_string();
    assert!(shown.contains(name.trim_start_matches('/')) && shown.contains(&address), "{name} {shown}");

    skep.text(&["stop", host]);
    assert_eq!(
        (phase(&skep, host).as_str(), world.inspect("{{.State.Running}}").as_str()),
        ("Stopped", "false")
    );
    for again in ["start", "restart"] {
        skep.text(&[again, host]);
        assert_eq!(phase(&skep, host), "Ready", "after {again}");
        assert_eq!(world.cluster.docker(&[host]).text(&["ps", "-q"]), "", "after {again}");
    }
    assert_eq!(world.inspect("{{.Name}}"), name);
    skep.text(&["rm", "-y", host]);
    assert_eq!(world.cluster.containers(), Vec::<String>::new());
}

/// Once the machine exists.
fn a_create_goes_wrong(world: &World, how: &str, told: &str) {
    let (skep, host) = (world.cluster.skep(), "unlucky");
    let answer = world.create(host, &["--testhost-late", how, "Create"]);
    assert_ne!(answer.code, 0, "{}", answer.stdout);
    let why = skep.text(&["explain", host]);
    print(&format!("{how}: {}\n{why}", answer.stderr));
    assert!(answer.stderr.contains(told) || why.contains(told), "{}{why}", answer.stderr);
    skep.text(&["rm", "-y", host]);
    assert_eq!(skep.text(&["ls", "-q"]), "");
    assert_eq!(world.cluster.containers(), Vec::<String>::new(), "after {how}");
}

/// The coordinator that had begun it knows that nothing runs there.
#[test]
fn a_create_that_was_cut_off_fails_soon_and_leaves_with_its_host() {
    let mut world = World::open(1, DRIVER_CALL);
    let name = world.begin_to_cut();
    world.cluster.kill(0);
    world.cluster.restart(0);
    let skep = world.cluster.skep();
    fails_with_remains(&skep, &name);
    skep.text(&["rm", "-y", "cut"]);
    assert_eq!(skep.text(&["ls", "-q"]), "");
    assert_eq!(world.cluster.containers(), Vec::<String>::new());
}

/// The coordinator that takes over knows of the machine what the plugin was told: its flags, and its name.
#[test]
fn a_create_whose_coordinator_is_lost_fails_soon_and_leaves_with_its_host() {
    let mut world = World::open(3, DRIVER_CALL);
    let name = world.begin_to_cut();
    let owner = owner(&world.cluster);
    world.cluster.kill(owner);
    let others = world.cluster.others(owner);
    fails_with_remains(&others, &name);
    others.text(&["rm", "-y", "cut"]);
    assert_eq!(world.cluster.containers(), Vec::<String>::new());
    world.cluster.restart(owner);
    assert_eq!(world.cluster.skep().text(&["ls", "-q"]), "");
    assert_eq!(world.cluster.containers(), Vec::<String>::new());
}

/// The machine is there, and nobody answers at its door.
#[test]
fn an_agent_that_was_on_its_way_is_brought_by_the_next_process() {
    let mut world = World::open(1, DRIVER_CALL);
    let answer = world.create("late", &["--no-wait"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    until_true(SETTLED, "the machine runs", || {
        world.cluster.containers().len() == 1 && world.inspect("{{.State.Running}}") == "true"
    });
    let container = world.inspect("{{.Id}}");
    world.cluster.engine().docker(&["pause", &container]);
    until_true(SETTLED, "its create has ended", || world.knows(r#""seen":"Starting""#));
    world.cluster.kill(0);
    world.cluster.engine().docker(&["unpause", &container]);
    world.cluster.restart(0);
    let skep = world.cluster.skep();
    let took = until_true(SETTLED, "the host is ready", || phase(&skep, "late") == "Ready");
    print(&format!("ready {took:.1?} after the restart"));
    assert_eq!(world.inspect("{{.Id}}"), container);
    skep.text(&["rm", "-y", "late"]);
    assert_eq!(world.cluster.containers(), Vec::<String>::new());
}

/// With the plugin's key, and the key that the machine showed when the agent was brought.
#[test]
fn a_session_goes_through_ssh_once_all_else_is_closed() {
    let world = World::open(1, DRIVER_CALL);
    let (skep, host) = (world.cluster.skep(), "closed");
    assert_eq!(world.create(host, &[]).code, 0);
    let container = world.inspect("{{.Id}}");
    let inside = |text: &str| world.cluster.engine().docker(&["exec", &container, "sh", "-c", text]);
    inside(
        "iptables -A INPUT -i eth0 ! -p tcp -j DROP; iptables -A INPUT -i eth0 -p tcp ! --dport 22 -j DROP
        iptables -A OUTPUT -o eth0 ! -p tcp -j DROP; iptables -A OUTPUT -o eth0 -p tcp ! --sport 22 -j DROP",
    );
    until_true(SETTLED, "its session is lost", || world.cluster.holder(host).is_none());
    let took = until_true(SETTLED, "it has another one", || world.cluster.holder(host).is_some());
    print(&format!("a session through SSH {took:.1?} after the one before was lost"));
    assert_eq!(inside("ss -Htn state established 'sport = :2376' | wc -l").trim(), "1");
    skep.text(&["rm", "-y", host]);
    assert_eq!(world.cluster.containers(), Vec::<String>::new());
}

/// With a shortfall, and not after the time that a boot has.
fn fails_with_remains(skep: &Cli, name: &str) {
    let settled = || {
        let phase = phase(skep, "cut");
        ["Ready", "Failed", "Quarantined"].contains(&phase.as_str()).then_some(phase)
    };
    let (ended, took) = until(SETTLED, "the create is settled", settled);
    let why = skep.text(&["explain", "cut"]);
    print(&format!("{ended} after {took:.1?}\n{why}"));
    assert_eq!(ended, "Failed");
    assert!(why.contains("cut off") && why.contains(name), "{why}");
    assert!(skep.json(&["inspect", "cut"]).to_string().contains(name), "the machine is the host's");
}

/// Which coordinator makes the calls of the driver's only account.
fn owner(cluster: &Processes) -> usize {
    let accounts = cluster.skep().json(&["account", "ls", "-o", "json"]);
    let all = accounts.as_array().unwrap();
    let account = all.iter().find(|account| account["driver"] == DRIVER).expect("its account");
    let id = account["owner"].as_str().expect("an owner");
    id.trim_start_matches('c').parse::<usize>().unwrap() - 1
}
