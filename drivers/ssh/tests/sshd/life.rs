//! A machine is adopted, looked at, and left as it was found.

use aws_lc_rs::digest::{SHA256, digest};
use skep_driver::Bootstrap;
use skep_ssh::machine::{Agent, Marker, Power};
use skep_ssh::{Kind, connect};
use skep_types::Secret;

use super::container::{Container, identity, keygen};

/// Everything that adopting could touch: names, modes, owners, sizes, targets; contents where settings stand.
const LOOK: &str = "find /etc /usr /var/lib /root -xdev \\( -path /var/lib/systemd -o -path /var/lib/docker -o \\
    -path /var/lib/dbus \\) -prune -o -printf '%p %y %m %U %s %l\\n' | sort; \\
    find /etc /usr/local -type f -exec sha256sum {} + | sort -k 2; hostname; \\
    systemctl list-unit-files --no-legend | sort; systemctl --failed --no-legend";

/// To systemd as good an agent as any: it becomes the program `run` or `proxy` that stands on the machine.
pub(crate) fn program() -> Vec<u8> {
    std::fs::read("/usr/bin/env").unwrap()
}

pub(crate) fn bootstrap(program: &[u8]) -> Bootstrap {
    let hex: String = digest(&SHA256, program).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Bootstrap {
        agent_urls: vec!["https://192.0.2.1/agent".to_owned()],
        agent_sha256: hex,
        agent_config: Secret::new("cluster = \"c1\"\n"),
    }
}

pub(crate) fn marker(host: &str) -> Marker {
    Marker {
        cluster: "c1".into(),
        host: host.into(),
        incarnation: 1,
        intent: "i1-7".into(),
        name: "web".into(),
        place: "web:22".into(),
    }
}

#[tokio::test]
async fn a_machine_is_left_as_it_was_found() {
    let folder = tempfile::tempdir().unwrap();
    let key = keygen(folder.path(), "id", &["-t", "ed25519"]);
    let machine = Container::boot();
    machine.let_in("root", &key);
    machine.exec("systemctl is-system-running --wait");
    let before = machine.sh(LOOK);

    let connection = connect(&machine.route("root", vec![identity(&key)])).await.unwrap();
    let (agent, script) = (Agent::new(program()).unwrap(), bootstrap(&program()));
    assert_eq!(connection.state().await.unwrap().marker, None);
    let (looked, stands) = connection.adopt(&marker("h1-1"), &agent, &script).await.unwrap();
    assert_eq!(stands, marker("h1-1"));
    assert_eq!(looked.address.unwrap().to_string(), machine.address);
    assert_eq!(looked.agent, None);
    machine.sh("cmp /etc/skep/agent.toml /dev/stdin <<E\ncluster = \"c1\"\nE");
    machine.sh("systemctl is-enabled skep-agent.service skep-agent-proxy.service");
    assert_eq!(machine.sh("stat -c %a /usr/local/bin/skep-agent /etc/skep"), "755\n700");

    // The same again finds it, as it was called first; another host, or another cluster, is refused and changes nothing.
    let renamed = Marker { place: "elsewhere:22".into(), ..marker("h1-1") };
    let (again, stands) = connection.adopt(&renamed, &agent, &script).await.unwrap();
    assert_eq!(stands, marker("h1-1"));
    assert_eq!(again.agent.as_deref(), Some(script.agent_sha256.as_str()));
    let others = Bootstrap { agent_config: Secret::new("cluster = \"c2\"\n"), ..script.clone() };
    for other in [marker("h1-2"), Marker { cluster: "c2".into(), ..marker("h1-1") }] {
        let error = connection.adopt(&other, &agent, &others).await.unwrap_err();
        assert!(error.to_string().contains("adopted already, by host \"web\" (h1-1,"), "{error}");
        let error = connection.release(&other).await.unwrap_err();
        assert!(matches!(error.kind, Kind::Claimed { .. }), "{error}");
        let error = connection.power(&other, Power::Off).await.unwrap_err();
        assert!(matches!(error.kind, Kind::Claimed { .. }), "{error}");
    }
    machine.sh("grep -q c1 /etc/skep/agent.toml");
    assert_eq!(connection.state().await.unwrap().marker, Some(marker("h1-1")));

    // What an agent leaves goes with it.
    machine.sh("mkdir -p /var/lib/skep/deep && echo key >/var/lib/skep/deep/key");
    for _ in 0..2 {
        connection.release(&marker("h1-1")).await.unwrap();
    }
    assert_eq!(connection.state().await.unwrap().marker, None);
    let after = machine.sh(LOOK);
    let changed: Vec<&str> = after.lines().filter(|line| !before.lines().any(|old| old == *line)).collect();
    assert!(before == after, "new or changed: {changed:#?}");
}

#[tokio::test]
async fn a_machine_reboots_and_turns_off_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let key = keygen(folder.path(), "id", &["-t", "ed25519"]);
    let machine = Container::boot_again();
    machine.let_in("root", &key);
    let route = machine.route("root", vec![identity(&key)]);
    let connection = connect(&route).await.unwrap();
    let error = connection.power(&marker("h1-1"), Power::Reboot).await.unwrap_err();
    assert!(matches!(error.kind, Kind::Claimed { .. }), "{error}");
    let agent = Agent::new(program()).unwrap();
    connection.adopt(&marker("h1-1"), &agent, &bootstrap(&program())).await.unwrap();
    let before = connection.state().await.unwrap();
    assert_eq!(connection.state().await.unwrap().boot, before.boot);
    connection.power(&marker("h1-1"), Power::Reboot).await.unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let after = loop {
        match connect(&route).await {
            Ok(again) => break again.state().await.unwrap(),
            Err(error) => assert!(std::time::Instant::now() < deadline, "it does not come back: {error}"),
        }
    };
    assert_ne!(after.boot, before.boot);
    assert_eq!(after.marker, before.marker);
}
