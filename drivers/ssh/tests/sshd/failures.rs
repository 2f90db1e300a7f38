//! Each way it fails is said as what it is.

use std::time::{Duration, Instant};

use skep_driver::Bootstrap;
use skep_ssh::machine::Agent;
use skep_ssh::{Connection, Deadlines, Error, Kind, connect};

use super::container::{Container, identity, keygen, straight};
use super::life::{bootstrap, marker, program};

async fn adopt(connection: &Connection) -> Result<(), Error> {
    let agent = Agent::new(program()).unwrap();
    connection.adopt(&marker("h1-1"), &agent, &bootstrap(&program())).await.map(drop)
}

#[tokio::test]
async fn machines_that_cannot_be_hosts_say_why_and_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let key = keygen(folder.path(), "id", &["-t", "ed25519"]);
    let machine = Container::boot();
    machine.let_in("root", &key);
    let connection = connect(&machine.route("root", vec![identity(&key)])).await.unwrap();

    machine.sh("printf '#!/bin/sh\\necho armv7l\\n' >/usr/local/bin/uname; chmod 755 /usr/local/bin/uname");
    let error = adopt(&connection).await.unwrap_err();
    assert!(error.to_string().contains("is armv7l, the agent is made for"), "{error}");
    machine.sh("rm /usr/local/bin/uname");

    for (place, folder) in
        [("/usr/local/bin", "/usr/local/bin"), ("/var/lib/skep", "/var/lib"), ("/etc/skep", "/etc/skep")]
    {
        machine.sh(&format!("mkdir -p {folder} && mount -t tmpfs -o size=1m none {folder}"));
        let error = adopt(&connection).await.unwrap_err();
        let Kind::DiskFull { place: full, free_kib: 1024, .. } = &error.kind else { panic!("{error:?}") };
        assert_eq!(full, place);
        machine.sh(&format!("umount {folder}"));
    }
    machine.sh("rmdir /etc/skep && [ ! -e /usr/local/bin/skep-agent.laid ]");

    // A disk that fills up on the way: while the machine is claimed, and while the agent is started.
    for (program, then, place) in
        [("flock", "exec /usr/bin/flock \"$@\"", "/etc/skep"), ("systemctl", "exit 1", "/var/lib/skep")]
    {
        let fills =
            format!("mkdir -p {place}; mount -t tmpfs -o size=64k none {place}; cat /dev/zero >{place}/big");
        let wrapper = format!("/usr/local/bin/{program}");
        machine.sh(&format!("cat >{wrapper} <<'END'\n#!/bin/sh\n{fills}\n{then}\nEND\nchmod 755 {wrapper}"));
        let error = adopt(&connection).await.unwrap_err();
        let Kind::DiskFull { place: full, free_kib: 0, .. } = &error.kind else { panic!("{error:?}") };
        assert_eq!(full, place);
        machine.sh(&format!("umount {place}; rm -r {place} {wrapper}"));
    }
    machine.sh("rm -rf /etc/skep /usr/local/bin/skep-agent /etc/systemd/system/skep-agent*");

    machine.sh("mv /usr/bin/cmp /usr/bin/other");
    let error = adopt(&connection).await.unwrap_err();
    assert!(error.to_string().ends_with("lacks the programs cmp"), "{error}");
    machine.sh("mv /usr/bin/other /usr/bin/cmp");

    let lie = Bootstrap { agent_sha256: "0".repeat(64), ..bootstrap(&program()) };
    let agent = Agent::new(program()).unwrap();
    let error = connection.adopt(&marker("h1-1"), &agent, &lie).await.unwrap_err();
    assert!(error.to_string().contains("does not have the wanted digest"), "{error}");
    machine.sh("[ ! -e /usr/local/bin/skep-agent ]");
    connection.release(&marker("h1-1")).await.unwrap();

    machine.sh("mkdir -p /etc/skep && echo x >/etc/skep/agent.toml");
    let error = adopt(&connection).await.unwrap_err();
    assert!(matches!(error.kind, Kind::OtherAgent { .. }), "{error}");
    machine.sh("[ $(cat /etc/skep/agent.toml) = x ]");
}

#[tokio::test]
async fn without_systemd() {
    let folder = tempfile::tempdir().unwrap();
    let key = keygen(folder.path(), "id", &["-t", "ed25519"]);
    let machine = Container::without_systemd();
    machine.let_in("root", &key);
    let connection = connect(&machine.route("root", vec![identity(&key)])).await.unwrap();
    let error = adopt(&connection).await.unwrap_err();
    assert!(matches!(error.kind, Kind::NoSystemd { .. }), "{error}");
}

#[tokio::test]
async fn machines_that_cannot_be_reached() {
    let machine = Container::without_systemd();
    machine.sh("iptables -A INPUT -p tcp --dport 23 -j DROP");
    let reach = async |host: &str, port| {
        let mut route = straight(machine.hop("root", Vec::new()));
        route.target.host = host.to_owned();
        route.target.port = port;
        route.deadlines = Deadlines { connect: Duration::from_secs(1), ..Deadlines::default() };
        connect(&route).await.unwrap_err()
    };
    let error = reach(&machine.address, 21).await;
    assert!(matches!(error.kind, Kind::Refused { .. }), "{error}");
    let began = Instant::now();
    let error = reach(&machine.address, 23).await;
    assert!(matches!(error.kind, Kind::TimedOut { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5));
    let error = reach("no..name", 22).await;
    assert!(matches!(error.kind, Kind::NameNotFound { .. }), "{error}");
}

// The test waits outside of its runtime.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_goes_away_while_a_script_runs() {
    let folder = tempfile::tempdir().unwrap();
    let key = keygen(folder.path(), "id", &["-t", "ed25519"]);
    let machine = Container::boot();
    machine.let_in("root", &key);
    let connection = connect(&machine.route("root", vec![identity(&key)])).await.unwrap();
    // systemctl takes its time: the script waits for it.
    machine.sh("printf '#!/bin/sh\\ntouch /tmp/waits; sleep 60\\n' >/usr/local/bin/systemctl; chmod 755 /usr/local/bin/systemctl");
    let task = tokio::spawn(async move { adopt(&connection).await });
    machine.sh("until [ -e /tmp/waits ]; do sleep 0.05; done");
    machine.kill();
    let error = task.await.unwrap().unwrap_err();
    assert!(matches!(error.kind, Kind::Dropped { .. }), "{error}");
}
