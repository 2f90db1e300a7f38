//! Single machines: adopted once, found again, restarted, released; and refused for what they lack.

use std::fs::{self, File};
use std::sync::Arc;
use std::time::{Duration, Instant};

use skep_driver::{CreateIntent, Driver, ErrorKind, Instance, InstanceState, Target};
use skep_types::{HostId, PowerAction};

use crate::coordinator::{Coordinator, intent, nothing};

async fn kind(driver: &dyn Driver, intent: &CreateIntent) -> (ErrorKind, String) {
    let error = nothing(driver, intent).await;
    (error.kind, error.message)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_is_adopted_once_and_whose_it_is_stands_on_it() {
    let coordinator = Coordinator::new();
    let machines = coordinator.boot_again(1);
    let machine = &machines[0];
    let options = [("generic-ip-address", machine.address.as_str())];
    let driver = coordinator.driver(&[]).await;
    let made = driver.ensure(&intent(1, &options)).await.unwrap().instances.remove(0);
    assert_eq!(made.instance.provider_id.as_str(), format!("h1-1.1@{}:22", machine.address));
    assert_eq!(made.private_address.unwrap().to_string(), machine.address);
    assert!(made.kept.as_ref().unwrap().reveal().contains("ssh-ed25519 "));

    let (refused, why) = kind(&*driver, &intent(2, &options)).await;
    assert!(matches!(refused, ErrorKind::InvalidSpec { .. }));
    assert!(
        why.contains("adopted already, by host \"web-1\" (h1-1, incarnation 1, intent i1-1) of cluster c1"),
        "{why}"
    );
    let elsewhere = CreateIntent { cluster: "c2".to_owned(), ..intent(1, &options) };
    assert!(kind(&*driver, &elsewhere).await.1.contains("of cluster c1"));

    // Another coordinator finds it by what was kept, or by its id; what was noted here is only a help.
    let target = Target::from(&made);
    assert_eq!(driver.list("c1", None).await.unwrap().instances.len(), 1);
    coordinator.forget_state();
    let other = coordinator.driver(&[]).await;
    assert_eq!(other.list("c1", None).await.unwrap().instances.len(), 0);
    for target in [target.clone(), Target::from(made.instance.clone())] {
        let seen = other.observe("c1", &[target]).await.unwrap().remove(0).unwrap();
        assert_eq!((seen.state, seen.intent), (InstanceState::Running, made.intent));
    }
    let again = CreateIntent { intent: made.intent.unwrap(), ..intent(1, &options) };
    assert_eq!(other.ensure(&again).await.unwrap().instances[0].instance, made.instance);

    for action in [PowerAction::Stop, PowerAction::Start, PowerAction::Kill] {
        let error = other.power("c1", action, std::slice::from_ref(&target)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
    }
    assert!(
        other.power("c2", PowerAction::Restart, std::slice::from_ref(&target)).await.unwrap()[0].is_err()
    );
    let boot = || machine.sh("cut -d ' ' -f 22 /proc/1/stat");
    let before = boot();
    other.power("c1", PowerAction::Restart, std::slice::from_ref(&target)).await.unwrap().remove(0).unwrap();
    let seen = observed(&*other, &target).await;
    assert_eq!((seen.state, &seen.instance), (InstanceState::Running, &made.instance));
    assert_ne!(boot(), before);
    machine.kill();
    let gone = other.observe("c1", &[target]).await.unwrap().remove(0).unwrap_err();
    assert_eq!(gone.kind, ErrorKind::Unavailable, "a machine that does not answer is not one that is gone");
}

/// As soon as it lets anybody in again.
async fn observed(driver: &dyn Driver, target: &Target) -> Instance {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match driver.observe("c1", std::slice::from_ref(target)).await.unwrap().remove(0) {
            Ok(seen) => return seen,
            Err(error) => assert!(Instant::now() < deadline, "it does not come back: {error}"),
        }
    }
}

/// Neither is done again and again, nor forgotten: whoever asked is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_does_not_reboot_is_said_to() {
    let coordinator = Coordinator::new();
    let machines = coordinator.boot(1);
    let machine = &machines[0];
    let driver = coordinator.driver(&[]).await;
    let made = driver.ensure(&intent(1, &[("generic-ip-address", &machine.address)])).await.unwrap();
    let target = Target::from(&made.instances[0]);
    machine.sh("printf '#!/bin/sh\\necho it is busy >&2; exit 1\\n' >/usr/local/bin/systemctl; chmod 755 /usr/local/bin/systemctl");
    let restart = || driver.power("c1", PowerAction::Restart, std::slice::from_ref(&target));
    let refused = restart().await.unwrap().remove(0).unwrap_err();
    assert!(
        refused.message.contains("changing its power failed at") && refused.message.contains("it is busy")
    );
    machine.sh("printf '#!/bin/sh\\nexit 0\\n' >/usr/local/bin/systemctl");
    let still = restart().await.unwrap().remove(0).unwrap_err();
    assert_eq!(still.kind, ErrorKind::Unavailable);
    assert!(still.message.contains("still runs the same boot"), "{still}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_key_that_changed_is_told_and_a_released_machine_is_free() {
    let coordinator = Coordinator::new();
    let machines = coordinator.boot(1);
    let machine = &machines[0];
    let options = [("generic-ip-address", machine.address.as_str())];
    let strict = coordinator.open(&[], &[("generic-strict-host-keys", "true")]).await;
    assert_eq!(kind(&*strict, &intent(1, &options)).await.0, ErrorKind::Auth);
    let driver = coordinator.driver(&[]).await;
    let log = coordinator.folder().join("log");
    let lines = tracing_subscriber::fmt().with_writer(Arc::new(File::create(&log).unwrap()));
    let logging = tracing::subscriber::set_default(lines.with_ansi(false).finish());
    let made = driver.ensure(&intent(1, &options)).await.unwrap().instances.remove(0);
    drop(logging);
    let log = fs::read_to_string(log).unwrap();
    let recorded = log.lines().find(|line| line.contains("host key recorded at first contact")).unwrap();
    assert!(recorded.contains("web-1") && recorded.contains("ssh-ed25519 SHA256:"), "{recorded}");
    let target = Target::from(&made);

    machine.sh("rm /etc/ssh/ssh_host_* && ssh-keygen -qA && systemctl restart ssh");
    let error = driver.destroy("c1", std::slice::from_ref(&target)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(error.message.contains("has changed: known is ssh-ed25519 SHA256:"), "{error}");
    // A person says which key it is now.
    let line = format!("{} {}\n", machine.address, machine.host_key("ed25519"));
    let driver = coordinator.driver(&[("known-hosts", &line)]).await;
    driver.destroy("c1", std::slice::from_ref(&target)).await.unwrap().remove(0).unwrap();
    assert_eq!(
        driver.observe("c1", &[target]).await.unwrap().remove(0).unwrap_err().kind,
        ErrorKind::NotFound
    );

    let mut next = intent(2, &options);
    next.slots[0].host = HostId::new(1, 9);
    assert_eq!(driver.ensure(&next).await.unwrap().instances.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bootstrap_that_fails_leaves_remains_that_can_be_destroyed() {
    let coordinator = Coordinator::new();
    let machines = coordinator.boot(1);
    let machine = &machines[0];
    let driver = coordinator.driver(&[]).await;
    machine
        .sh("printf '#!/bin/sh\\nexit 3\\n' >/usr/local/bin/systemctl; chmod 755 /usr/local/bin/systemctl");
    let placed = driver.ensure(&intent(1, &[("generic-ip-address", &machine.address)])).await.unwrap();
    assert_eq!(placed.instances[0].state, InstanceState::Stopped);
    let why = placed.shortfall.unwrap();
    assert!(why.message.starts_with("bringing the agent failed at"), "{why}");
    machine.sh("rm /usr/local/bin/systemctl");
    let remains = Target::from(&placed.instances[0]);
    driver.destroy("c1", &[remains]).await.unwrap().remove(0).unwrap();
    machine.sh("[ ! -e /etc/skep ] && [ ! -e /usr/local/bin/skep-agent ]");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_is_said_in_time() {
    let coordinator = Coordinator::new();
    let driver = coordinator.driver(&[]).await;
    let began = Instant::now();
    let nobody = [("generic-ip-address", "127.0.0.1"), ("generic-ssh-port", "1")];
    let (refused, why) = kind(&*driver, &intent(1, &nobody)).await;
    assert_eq!(refused, ErrorKind::Unavailable);
    assert!(why.contains("127.0.0.1:1 refuses connections"), "{why}");
    assert!(began.elapsed() < Duration::from_secs(5));
    let (unread, why) =
        kind(&*driver, &intent(1, &[("generic-ip-address", "a"), ("generic-ssh-key", "/nowhere/key")])).await;
    assert_eq!(unread, ErrorKind::Auth);
    assert!(why.contains("/nowhere/key cannot be read on this coordinator"), "{why}");
}
