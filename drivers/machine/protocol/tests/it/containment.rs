//! Plugins that die, hang, flood, lie, or are none.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use skep_machine_protocol::{Action, Launch, Plugin, PluginError, PluginUser, Property};

use crate::setup::{Bench, SHORT, list, lives, until};

/// What a program that does not start says.
async fn refused(launch: Launch) -> PluginError {
    match Plugin::start(launch).await {
        Err(error) => error,
        Ok(plugin) => panic!("{plugin:?}"),
    }
}

#[tokio::test]
async fn a_method_that_hangs_costs_the_plugin_its_life_and_is_named() {
    let bench = Bench::new();
    let mut launch = bench.testhost();
    launch.limits.act = SHORT;
    let plugin = bench.configured(launch, &[("hang", list(&["Create"]))]).await;
    let pid = plugin.pid().unwrap().to_string();
    assert!(lives(&pid));
    let outcome = plugin.act(Action::Create).await;
    assert!(matches!(outcome, Err(PluginError::Hung { method: "Create" })), "{outcome:?}");
    assert!(!lives(&pid));
}

#[tokio::test]
async fn a_process_that_stands_still_is_noticed_by_its_heart() {
    let bench = Bench::new();
    let mut launch = bench.testhost();
    (launch.limits.beat, launch.limits.silence) = (Duration::from_millis(100), SHORT);
    let plugin = bench.configured(launch, &[]).await;
    let pid = i32::try_from(plugin.pid().unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::STOP).unwrap();
    let outcome = plugin.act(Action::Create).await;
    assert!(matches!(outcome, Err(PluginError::Hung { method: "a heartbeat" })), "{outcome:?}");
    assert!(!lives(&pid.to_string()));
}

#[tokio::test]
async fn a_flood_of_output_ends_the_plugin() {
    let bench = Bench::new();
    let plugin = bench.configured(bench.testhost(), &[("flood", list(&["Stop"]))]).await;
    let outcome = plugin.act(Action::Stop).await;
    assert!(matches!(outcome, Err(PluginError::Flooded(_))), "{outcome:?}");
}

#[tokio::test]
async fn memory_and_processor_time_are_bounded() {
    let bench = Bench::new();
    let mut launch = bench.testhost();
    launch.limits.memory_bytes = 512 * 1024 * 1024;
    let plugin = bench.configured(launch.clone(), &[("hoard", list(&["Stop"]))]).await;
    match plugin.act(Action::Stop).await {
        Err(PluginError::Died { last_words, .. }) => {
            assert!(last_words.contains("out of memory"), "{last_words}")
        }
        other => panic!("{other:?}"),
    }
    launch.limits.cpu = Duration::from_secs(1);
    let plugin = bench.configured(launch, &[("spin", list(&["Stop"]))]).await;
    match plugin.act(Action::Stop).await {
        Err(PluginError::Died { status, .. }) => assert_eq!(status.signal(), Some(9)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn replies_of_another_type_are_lies_and_so_are_huge_ones() {
    let bench = Bench::new();
    let liar = || async {
        let mut launch = bench.testhost();
        launch.driver = "liar".to_owned();
        Plugin::start(launch).await.unwrap()
    };
    let outcomes = [
        liar().await.create_flags().await.map(drop),
        liar().await.state().await.map(drop),
        liar().await.property(Property::Ip).await.map(drop),
        liar().await.ssh_port().await.map(drop),
    ];
    for outcome in outcomes {
        assert!(matches!(outcome, Err(PluginError::WrongReply { .. })), "{outcome:?}");
    }
    let outcome = liar().await.config().await;
    assert!(matches!(outcome, Err(PluginError::Protocol(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_killed_plugin_takes_its_children_along() {
    let bench = Bench::new();
    let mut launch = bench.script("sleep 600 & echo $! >child; wait");
    launch.limits.start = SHORT;
    let began = Instant::now();
    assert!(matches!(refused(launch).await, PluginError::Hung { .. }));
    assert!(began.elapsed() < SHORT * 4);
    let child = std::fs::read_to_string(bench.path("child")).unwrap();
    until("the end of the child", || !lives(&child)).await;
}

#[tokio::test]
async fn a_plugin_that_is_dropped_or_killed_is_gone() {
    let bench = Bench::new();
    for dropped in [true, false] {
        let plugin = bench.configured(bench.testhost(), &[]).await;
        let pid = plugin.pid().unwrap().to_string();
        assert!(lives(&pid));
        if dropped {
            drop(plugin);
        } else {
            plugin.kill().await;
        }
        until("the end of the plugin", || !lives(&pid)).await;
    }
}

#[tokio::test]
async fn programs_that_are_no_plugins_say_what_they_are() {
    let bench = Bench::new();
    let missing = bench.launch(bench.path("nothing"));
    assert!(matches!(refused(missing).await, PluginError::Start { .. }));

    match refused(bench.script("echo unsupported driver >&2; exit 1")).await {
        PluginError::Died { status, last_words } => {
            assert_eq!((status.code(), &last_words[..]), (Some(1), "unsupported driver"));
        }
        other => panic!("{other:?}"),
    }
    for line in ["hello", "192.0.2.1:80", "127.0.0.1:x"] {
        let error = refused(bench.script(&format!("echo '{line}'; sleep 600"))).await;
        assert!(matches!(&error, PluginError::NoAddress { line: told } if told == line), "{error:?}");
    }
    // A port of this machine that nobody listens on.
    let error = refused(bench.script("echo 127.0.0.1:1; sleep 600")).await;
    assert!(matches!(error, PluginError::Protocol(_)), "{error:?}");
    let error = refused(bench.script("tr '\\0' x </dev/zero")).await;
    assert!(matches!(error, PluginError::Flooded(_)), "{error:?}");
}

#[tokio::test]
async fn the_environment_is_what_it_was_given() {
    let bench = Bench::new();
    refused(bench.script("env >environment; pwd >>environment; exit 0")).await;
    let environment = std::fs::read_to_string(bench.path("environment")).unwrap();
    let mut names: Vec<&str> = environment.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.sort_unstable();
    // The last two are the shell's own.
    names.retain(|name| !["PWD", "_", "SHLVL", "OLDPWD"].contains(name));
    assert_eq!(names, ["MACHINE_PLUGIN_DRIVER_NAME", "MACHINE_PLUGIN_TOKEN", "PATH"]);
    assert!(environment.contains(&bench.path("").display().to_string().trim_end_matches('/').to_owned()));
}

#[tokio::test]
async fn a_plugin_runs_as_its_user_without_our_groups() {
    assert!(rustix::process::geteuid().is_root(), "this test gives a plugin another user: run it as root");
    let bench = Bench::new();
    let folder = bench.path("");
    std::os::unix::fs::chown(&folder, Some(61_234), Some(61_234)).unwrap();
    let mut launch = bench.script("echo $(id -u) $(id -g) $(id -G) >user; exit 0");
    launch.user = Some(PluginUser { uid: 61_234, gid: 61_234 });
    refused(launch).await;
    let user = std::fs::read_to_string(bench.path("user")).unwrap();
    assert_eq!(user.trim(), "61234 61234 61234");
}
