//! Driver programs that die, hang, write too much, lie or belong to somebody else.

#![allow(clippy::unwrap_used, reason = "a step of a test that fails fails the test")]

#[path = "plugins/follow.rs"]
mod follow;
#[path = "plugins/log.rs"]
mod log;
#[path = "plugins/path.rs"]
mod path;

use std::sync::Arc;
use std::time::{Duration, Instant};

use skep_coordinator::plugins::{Plugins, Settings, Timing};
use skep_driver::plugin::Environment;
use skep_driver::{Access, Driver, DriverError, ErrorKind, Kind};
use skep_tests::wait::{until, until_true};

use log::Log;
use path::Path;

/// Debug programs start on busy machines.
const PATIENCE: Duration = Duration::from_secs(60);

fn quick() -> Timing {
    Timing {
        look_every: Duration::from_millis(50),
        handshake: Duration::from_secs(5),
        probe_every: Duration::from_millis(100),
        probe_patience: Duration::from_millis(500),
        probe_misses: 2,
        grace: Duration::from_millis(500),
        backoff_first: Duration::from_millis(50),
        backoff_last: Duration::from_secs(1),
        again_first: Duration::from_millis(50),
        again_last: Duration::from_secs(1),
        ..Timing::default()
    }
}

async fn find(path: &Path) -> Plugins {
    let settings = Settings {
        path: vec![path.folder()],
        run: path.run(),
        environment: Environment::out_of(|name| (name == "PATH").then(|| "/usr/bin:/bin".into())),
        timing: quick(),
    };
    Plugins::find(settings).await.unwrap()
}

/// Why the only program is refused.
async fn refusal(path: &Path) -> String {
    let plugins = find(path).await;
    assert!(plugins.kinds().is_empty(), "{plugins:?}");
    plugins.broken()[0].reason.clone()
}

async fn open(plugins: &Plugins) -> Result<Arc<dyn Driver>, DriverError> {
    let kind: Arc<dyn Kind> = plugins.kinds().remove(0);
    kind.open(Access::plain("account-1".parse().unwrap())).await
}

/// Until a call gets through: to the process that was told the account last.
async fn answers(driver: &Arc<dyn Driver>) {
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = driver.list("c", None).await {
        assert_eq!(error.kind, ErrorKind::Unavailable, "{error:?}");
        assert!(Instant::now() < deadline, "{error:?}");
        tokio::task::yield_now().await;
    }
}

/// One that has ended and that nobody has asked about yet does not count.
fn alive(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    status.is_ok_and(|status| !status.lines().any(|line| line.starts_with("State:\tZ")))
}

fn signal(pid: u32, signal: &str) {
    skep_tests::processes::run(std::process::Command::new("kill").args([signal, &pid.to_string()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_serves_its_account_and_ends_with_its_driver() {
    let (path, log) = (Path::with(""), Log::start());
    let plugins = find(&path).await;
    let driver = open(&plugins).await.unwrap();
    assert_eq!(driver.describe().name.as_str(), "sim");
    answers(&driver).await;
    let pid = log.told_account(0);
    drop(driver);
    until_true(PATIENCE, "the program ends", || !alive(pid));

    let driver = open(&plugins).await.unwrap();
    let pid = log.told_account(1);
    plugins.stop().await;
    assert!(!alive(pid));
    assert_eq!(driver.list("c", None).await.unwrap_err().kind, ErrorKind::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_program_is_started_and_told_its_account_again() {
    let (path, log) = (Path::with(""), Log::start());
    let plugins = find(&path).await;
    let driver = open(&plugins).await.unwrap();
    for turn in 0..3 {
        answers(&driver).await;
        signal(log.told_account(turn), "-KILL");
        log.told_account(turn + 1);
    }
    answers(&driver).await;
    assert!(log.has("signal: 9"), "the reason is told");
    plugins.stop().await;
}

/// Asked what it is, or opened for an account: nothing of it stays behind.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_program_has_started_ends_with_it() {
    let path = Path::empty();
    path.put_with_children();
    let plugins = find(&path).await;
    let driver = open(&plugins).await.unwrap();
    answers(&driver).await;
    let children = path.children();
    assert_eq!(children.len(), 2);
    assert_eq!(children.iter().map(|child| alive(*child)).collect::<Vec<_>>(), [false, true]);
    drop(driver);
    until_true(PATIENCE, "what it has started ends", || !alive(children[1]));
    plugins.stop().await;
}

/// Ever later, while it does not stay: its program is not there.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_cannot_be_started_is_tried_ever_later() {
    let (path, log) = (Path::with(""), Log::start());
    let plugins = find(&path).await;
    let driver = open(&plugins).await.unwrap();
    answers(&driver).await;
    path.remove();
    signal(log.told_account(0), "-KILL");
    let (waits, _) = until(PATIENCE, "it was tried five times", || Some(log.waits()).filter(|w| w.len() > 5));
    // A program that was killed on a busy machine may have stayed for a second.
    let tried = &waits[waits.len() - 5..];
    assert!(tried.is_sorted() && tried[4] == 1_000 && tried[0] >= 50, "{waits:?}");
    let down = driver.list("c", None).await.unwrap_err();
    assert_eq!(down.kind, ErrorKind::Unavailable);
    assert!(down.message.contains("is started again in"), "{down}");
    path.put("");
    answers(&driver).await;
    plugins.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_hangs_is_replaced() {
    let (path, log) = (Path::with(""), Log::start());
    let plugins = find(&path).await;
    let driver = open(&plugins).await.unwrap();
    let hanging = log.told_account(0);
    signal(hanging, "-STOP");
    log.told_account(1);
    assert!(!alive(hanging));
    answers(&driver).await;
    assert!(log.has("did not answer 2 times in a row"));
    plugins.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_bounded_and_stops_nobody() {
    let (path, log) = (Path::with("--fault flood"), Log::start());
    let plugins = find(&path).await;
    let driver = open(&plugins).await.unwrap();
    let started = Instant::now();
    until_true(PATIENCE, "lines are left out", || log.has("lines of the driver program were left out"));
    answers(&driver).await;
    // The handshake and the account had 500 lines each at once, and 20 a second since.
    let most = 1_000 + 40 + 20 * usize::try_from(started.elapsed().as_secs() + 10).unwrap();
    let (lines, longest) = log.flood();
    assert!(lines <= most, "{lines} lines, at most {most}");
    assert!(longest < 20_000, "{longest} bytes in a line");
    plugins.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_cannot_be_used_say_why() {
    let wrong = refusal(&Path::with("--fault stranger")).await;
    assert!(wrong.contains("version 99") && wrong.contains("this coordinator 1"), "{wrong}");
    let wrong = refusal(&Path::with("--fault renamed")).await;
    assert_eq!(wrong, "it calls itself somebody, by its file it is sim");
    let wrong = refusal(&Path::with("--fault mute")).await;
    assert_eq!(wrong, "it serves, but did not say what it is within 5 s");
    let wrong = refusal(&Path::with("--fault dead")).await;
    assert!(wrong.contains("exit status: 1") && wrong.contains("the licence has run out"), "{wrong}");
    let wrong = refusal(&Path::with("--no-such-word")).await;
    assert!(wrong.contains("exit status: 2"), "{wrong}");
    let path = Path::with("");
    path.let_others_write();
    assert_eq!(refusal(&path).await, "can be written by others: chmod go-w");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_refused_is_not_tried_again() {
    let path = Path::with("--fault locked");
    let plugins = find(&path).await;
    let error = open(&plugins).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Auth, "the key is not known"));
    plugins.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_given_nothing_but_where_to_find_others() {
    let path = Path::with("");
    let plugins = find(&path).await;
    let log = Log::start();
    let _driver = open(&plugins).await.unwrap();
    let pid = log.told_account(0);
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    let environment = String::from_utf8(environment).unwrap();
    let mut names: Vec<&str> =
        environment.split('\0').filter_map(|pair| Some(pair.split_once('=')?.0)).collect();
    // What the shell of the wrapper adds.
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    assert_eq!(names, ["PATH"]);
    let (socket, _) = until(PATIENCE, "its socket", || path.sockets().pop());
    assert_eq!(path::mode(&socket), 0o600);
    assert_eq!(path::mode(socket.parent().unwrap()), 0o700);
    plugins.stop().await;
}
