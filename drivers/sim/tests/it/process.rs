//! `skep-sim` as a process: it serves, says so, refuses nonsense by name, and ends cleanly.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use skep_driver::plugin::Attached;
use skep_driver::{Access, Driver, Kind};
use skep_types::{Idempotency, SlotNaming};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::asking::{agent_config, intent};

const PATIENCE: Duration = Duration::from_secs(20);

fn skep_sim(socket: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skep-sim"));
    command.arg("--socket").arg(socket).args(arguments).env_clear().kill_on_drop(true);
    command
}

async fn start(socket: &Path, arguments: &[&str]) -> Child {
    let mut child = skep_sim(socket, arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    assert_eq!(line, format!("serving unix:{}", socket.display()));
    child
}

async fn refusal(socket: &Path, arguments: &[&str]) -> String {
    let output: Output = timeout(PATIENCE, skep_sim(socket, arguments).output()).await.unwrap().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

async fn opened(socket: &Path) -> Arc<dyn Driver> {
    let kind = Attached::connect(socket).await.unwrap();
    kind.open(Access::plain("sim".parse().unwrap())).await.unwrap()
}

#[tokio::test]
async fn it_serves_a_world_and_ends_when_told() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("sim.sock");
    let arguments = ["--naming", "interchangeable", "--batch-max", "7", "--latency-ms", "1"];
    let mut child = start(&socket, &arguments).await;

    let driver = opened(&socket).await;
    let description = driver.describe();
    assert_eq!((description.batch.max, description.batch.naming), (7, SlotNaming::Interchangeable));
    assert!(matches!(description.idempotency, Idempotency::Token { .. }));
    assert!(driver.list("c", None).await.unwrap().instances.is_empty());
    assert!(refusal(&socket, &[]).await.contains("already serves"));

    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
    assert!(!socket.exists());
}

#[tokio::test]
async fn it_ends_with_whoever_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("sim.sock");
    let mut command = skep_sim(&socket, &[]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    assert!(child.try_wait().unwrap().is_none());
    drop(child.stdin.take());
    let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert!(status.success() && !socket.exists(), "{status}");
}

#[tokio::test]
async fn it_serves_a_cloud_too_or_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    std::fs::write(&key, "secret\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_skep-sim"));
    command.args(["--cloud", "127.0.0.1:0", "--cloud-key-file"]).arg(&key).env_clear().kill_on_drop(true);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    let address = line.strip_prefix("serving http://").unwrap();
    tokio::net::TcpStream::connect(address).await.unwrap();
    drop(child.stdin.take());
    let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");

    let socket = dir.path().join("sim.sock");
    let refused = refusal(&socket, &["--cloud", "0.0.0.0:0"]).await;
    assert!(refused.contains("that needs a key"), "{refused}");
}

#[tokio::test]
async fn it_takes_the_place_of_one_that_was_killed() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("sim.sock");
    let mut first = start(&socket, &[]).await;
    first.kill().await.unwrap();
    assert!(socket.exists());
    let _second = start(&socket, &[]).await;
    Attached::connect(&socket).await.unwrap();
}

#[tokio::test]
async fn wrong_configuration_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("sim.sock");
    let file = dir.path().join("sim.toml");
    std::fs::write(&file, "[behaviour]\nlatency_s = 3\n").unwrap();
    assert!(refusal(&socket, &["--config", file.to_str().unwrap()]).await.contains("latency_s"));
    assert!(refusal(&socket, &["--batch-max", "0"]).await.contains("batch_max must be at least 1"));
    assert!(refusal(&socket, &["--first-address", "10.0.0.1"]).await.contains("first_address"));
}

#[tokio::test]
async fn a_thousand_agents_fit_in_one_process() {
    const AGENTS: usize = 1_000;
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("sim.sock");
    let child = start(&socket, &[]).await;
    let driver = opened(&socket).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = agent_config(&listener);
    for number in 1..=10 {
        let placed = driver.ensure(&intent(number, 100, &config)).await.unwrap();
        assert!(placed.shortfall.is_none());
    }
    let mut dialled_from = BTreeSet::new();
    let all = async {
        while dialled_from.len() < AGENTS {
            dialled_from.insert(listener.accept().await.unwrap().1.ip());
        }
    };
    timeout(PATIENCE, all).await.unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id().unwrap())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    // A debug build with no session open: room for what agents keep, none for a thread or a buffer each.
    assert!(kib < 256 * 1024, "{AGENTS} agents take {kib} KiB");
    println!("{AGENTS} agents take {kib} KiB");
}
