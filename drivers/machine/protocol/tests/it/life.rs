//! The whole life of a machine, over a plugin in Go.

use skep_machine_protocol::{Action, FlagValue, MachineState, Plugin, PluginError, Property};

use crate::setup::{Bench, list, refusal, text};

#[tokio::test]
async fn a_machine_is_made_looked_at_stopped_started_and_removed() {
    let bench = Bench::new();
    let plugin = bench.configured(bench.testhost(), &[]).await;
    assert_eq!(plugin.property(Property::DriverName).await.unwrap(), "testhost");
    assert_eq!(plugin.property(Property::MachineName).await.unwrap(), "m1");

    plugin.act(Action::PreCreateCheck).await.unwrap();
    plugin.act(Action::Create).await.unwrap();
    assert_eq!(plugin.state().await.unwrap(), MachineState::Running);
    for property in [Property::Ip, Property::SshHostname] {
        assert_eq!(plugin.property(property).await.unwrap(), "192.0.2.1");
    }
    assert_eq!(plugin.property(Property::Url).await.unwrap(), "tcp://192.0.2.1:2376");
    assert_eq!(plugin.property(Property::SshUsername).await.unwrap(), "root");
    assert_eq!(plugin.ssh_port().await.unwrap(), 22);
    let key = plugin.property(Property::SshKeyPath).await.unwrap();
    assert!(std::fs::read_to_string(key).unwrap().contains("PRIVATE KEY"));

    for (action, state) in [
        (Action::Stop, MachineState::Stopped),
        (Action::Start, MachineState::Running),
        (Action::Restart, MachineState::Running),
        (Action::Kill, MachineState::Stopped),
    ] {
        plugin.act(action).await.unwrap();
        assert_eq!(plugin.state().await.unwrap(), state, "{action:?}");
    }
    plugin.act(Action::Remove).await.unwrap();
    assert_eq!(bench.machine(), None);
    plugin.close().await.unwrap();
}

#[tokio::test]
async fn another_process_goes_on_with_the_configuration_of_the_first() {
    let bench = Bench::new();
    let first = bench.configured(bench.testhost(), &[("label", list(&["a=b", ""]))]).await;
    first.act(Action::Create).await.unwrap();
    let config = first.config().await.unwrap();
    assert!(String::from_utf8_lossy(&config).contains(r#""Labels":["a=b",""]"#));
    first.close().await.unwrap();

    let second = Plugin::start(bench.testhost()).await.unwrap();
    second.set_config(&config).await.unwrap();
    assert_eq!(second.state().await.unwrap(), MachineState::Running);
    second.act(Action::Remove).await.unwrap();
    assert_eq!(bench.machine(), None);
}

#[tokio::test]
async fn flags_have_types_defaults_and_variables() {
    let bench = Bench::new();
    let plugin = Plugin::start(bench.testhost()).await.unwrap();
    let flags = plugin.create_flags().await.unwrap();
    let flag = |name: &str| flags.iter().find(|flag| flag.name == name).unwrap();
    assert_eq!(flag("testhost-image").env, "TESTHOST_IMAGE");
    assert_eq!(flag("testhost-image").default, text("skep/host:debian-13"));
    assert_eq!(flag("testhost-create-seconds").default, FlagValue::Int(0));
    assert_eq!(flag("testhost-late").default, FlagValue::Bool(false));
    assert_eq!(flag("testhost-label").default, list(&["testhost"]));
    assert!(flag("testhost-hang").usage.contains("never end"));
}

#[tokio::test]
async fn a_value_that_is_missing_or_of_another_type_is_the_drivers_to_refuse() {
    let bench = Bench::new();
    let plugin = Plugin::start(bench.testhost()).await.unwrap();
    let mut values = bench.values(&plugin, &[]).await;
    values.remove("swarm-host");
    assert!(refusal(plugin.set_flags(&values).await).contains("swarm-host"));
    let values = bench.values(&plugin, &[("create-seconds", text("1"))]).await;
    assert!(refusal(plugin.set_flags(&values).await).contains("is string, not int"));
}

/// A plugin ends ten seconds after its last heartbeat, and has one thread for each call.
#[tokio::test]
async fn the_heart_beats_while_a_create_takes_its_time() {
    let bench = Bench::new();
    let plugin = bench.configured(bench.testhost(), &[("create-seconds", FlagValue::Int(11))]).await;
    plugin.act(Action::Create).await.unwrap();
    assert_eq!(bench.machine().as_deref(), Some("Running"));
    plugin.close().await.unwrap();
}

#[tokio::test]
async fn a_plugin_of_before_the_services_new_name_is_spoken_to_by_the_old_one() {
    let bench = Bench::new();
    let mut launch = bench.testhost();
    launch.driver = "old".to_owned();
    let plugin = bench.configured(launch, &[]).await;
    assert_eq!(plugin.property(Property::DriverName).await.unwrap(), "testhost");
    plugin.close().await.unwrap();
}

#[tokio::test]
async fn a_method_that_fails_says_why_and_the_plugin_goes_on() {
    let bench = Bench::new();
    let plugin = bench.configured(bench.testhost(), &[("fail", list(&["Create", "GetState"]))]).await;
    assert_eq!(refusal(plugin.act(Action::Create).await), "Create fails as asked");
    assert_eq!(refusal(plugin.state().await), "GetState fails as asked");
    assert_eq!(bench.machine(), None);
    plugin.close().await.unwrap();
}

#[tokio::test]
async fn a_create_that_fails_late_leaves_a_configuration_that_can_be_removed() {
    let bench = Bench::new();
    let late = [("late", FlagValue::Bool(true)), ("fail", list(&["Create"]))];
    let plugin = bench.configured(bench.testhost(), &late).await;
    assert_eq!(refusal(plugin.act(Action::Create).await), "Create fails as asked");
    let config = String::from_utf8(plugin.config().await.unwrap()).unwrap();
    assert!(config.contains(r#""InstanceID":"id-m1""#), "{config}");
    plugin.act(Action::Remove).await.unwrap();
    assert_eq!(bench.machine(), None);
}

#[tokio::test]
async fn a_panic_in_create_is_an_error_and_elsewhere_the_end() {
    let bench = Bench::new();
    let plugin = bench.configured(bench.testhost(), &[("panic", list(&["Create", "Stop"]))]).await;
    assert_eq!(refusal(plugin.act(Action::Create).await), "Panic in the driver: as asked");
    match plugin.act(Action::Stop).await {
        Err(PluginError::Died { status, last_words }) => {
            assert_eq!(status.code(), Some(2));
            assert!(last_words.starts_with("panic: as asked"), "{last_words}");
        }
        other => panic!("{other:?}"),
    }
    // And every later call is told the same.
    assert!(matches!(plugin.state().await, Err(PluginError::Died { .. })));
}
