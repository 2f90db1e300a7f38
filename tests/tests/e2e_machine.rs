//! Hosts by a plugin of Docker Machine that is written in Go: their whole life, creates that go wrong, and a coordinator
//! that is killed in the middle of one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a step that fails fails the test")]

#[path = "../../drivers/machine/testdata/testhost.rs"]
mod testhost;

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use skep_tests::print;
use skep_tests::processes::{Answer, Cli, Processes, Settings, machine_driver};
use skep_tests::wait::until_true;
use tempfile::TempDir;

const DRIVER: &str = "machine/testhost";
/// A lease, the longest call, a boot: on a machine that is busy.
const SETTLED: Duration = Duration::from_secs(60);

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
    let described = world.cluster.skep().text(&["driver", "describe", DRIVER]);
    for word in ["--testhost-image", "TESTHOST_IMAGE", "How long Create takes", "testhost-secret"] {
        assert!(described.contains(word), "no {word} in {described}");
    }
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

/// The coordinator that had begun it is the one that knows of the machine.
#[test]
fn a_create_that_was_cut_off_is_listed_and_removed() {
    let mut world = World::open(1, Duration::from_secs(10));
    let answer = world.create("cut", &["--testhost-create-seconds", "6", "--no-wait"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    until_true(SETTLED, "the machine exists", || world.cluster.containers().len() == 1);
    world.cluster.kill(0);
    world.cluster.restart(0);
    let skep = world.cluster.skep();
    let name = world.inspect("{{.Name}}").trim_start_matches('/').to_owned();
    let listed = || skep.json(&["inspect", "cut"]).to_string().contains(&name);
    let took = until_true(SETTLED, "the machine is the host's", listed);
    print(&format!("listed after {took:.1?}\n{}", skep.text(&["explain", "cut"])));
    skep.text(&["rm", "-y", "cut"]);
    assert_eq!(skep.text(&["ls", "-q"]), "");
    assert_eq!(world.cluster.containers(), Vec::<String>::new());
}
