//! Plugins beside each other: as whom, how many, and what they see of one another.

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Arc;

use skep_driver::plugin::Attached;
use skep_driver::{CreateIntent, Driver, Kind};
use tokio::task::JoinSet;

use crate::program::{PROGRAM, Running};
use crate::setup::{Bench, another, folders, programs, until, users};

/// As `session` has it.
const AT_ONCE: usize = 32;

fn begin(making: &mut JoinSet<()>, driver: &Arc<dyn Driver>, intent: CreateIntent) {
    let driver = Arc::clone(driver);
    making.spawn(async move {
        let _ = driver.ensure(&intent).await;
    });
}

#[tokio::test]
async fn plugins_with_users_of_their_own_see_nothing_of_each_other() {
    let range = users();
    let bench = Bench::new();
    let (work, programs) = (bench.path("work"), programs(&bench));
    let driver = bench
        .driver_with("one", |settings| {
            (settings.users, settings.work, settings.path) = (Some(range), Some(work.clone()), programs);
        })
        .await;
    let slow = bench.intent(&[("create-seconds", "60")]);
    let mut making = JoinSet::new();
    for number in [1, 2] {
        begin(&mut making, &driver, another(&slow, number));
    }
    until("both machines", async || (bench.cloud().len() == 2).then_some(())).await;
    let homes = folders(&work);
    let owners: BTreeSet<u32> = homes.iter().map(|home| home.metadata().unwrap().uid()).collect();
    assert_eq!((homes.len(), owners.len()), (2, 2));
    for (home, user) in homes.iter().flat_map(|home| owners.iter().map(move |user| (home, *user))) {
        let looked = Command::new("ls")
            .arg(home)
            .uid(user)
            .gid(user)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let own = home.metadata().unwrap().uid() == user;
        assert_eq!(looked.unwrap().success(), own, "{user} at {}", home.display());
    }
}

/// Then it has no user to give away.
#[tokio::test]
async fn a_program_that_is_not_root_runs_plugins_as_itself() {
    let user = 61_020;
    let bench = Bench::new();
    std::fs::copy(PROGRAM, bench.path("program")).unwrap();
    for folder in ["run", "one"] {
        std::fs::create_dir(bench.path(folder)).unwrap();
        chown(bench.path(folder), Some(user), Some(user)).unwrap();
    }
    let socket = bench.path("run/socket");
    let child = Command::new(bench.path("program"))
        .env_clear()
        .env("PATH", programs(&bench))
        .args(["--variant", "testhost", "--socket"])
        .arg(&socket)
        .uid(user)
        .gid(user)
        .current_dir(bench.path("run"))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let _running = Running(child);
    let kind = until("the driver's socket", async || Attached::connect(&socket).await.ok()).await;
    let driver = kind.open(bench.access("one")).await.unwrap();
    let mut making = JoinSet::new();
    begin(&mut making, &driver, bench.intent(&[("create-seconds", "60")]));
    let made = until("the machine", async || bench.cloud().into_keys().next()).await;
    assert_eq!(bench.path("cloud").join(made).metadata().unwrap().uid(), user);
}

#[tokio::test]
async fn plugins_at_once_are_bounded() {
    let bench = Bench::new();
    let work = bench.path("work");
    let driver = bench.driver_with("one", |settings| settings.work = Some(work.clone())).await;
    let mut checks = JoinSet::new();
    for _ in 0..AT_ONCE + 8 {
        let (driver, template) = (Arc::clone(&driver), bench.template(&[("hang", "PreCreateCheck")]));
        checks.spawn(async move { driver.check(&template).await.is_ok() });
    }
    until("as many as may run", async || (folders(&work).len() >= AT_ONCE).then_some(())).await;
    // All were asked before this one, which has places of its own: those that did not start before it has ended, wait.
    bench.driver("two").await.check(&bench.template(&[])).await.unwrap();
    assert_eq!((folders(&work).len(), checks.len()), (AT_ONCE, AT_ONCE + 8));
}
