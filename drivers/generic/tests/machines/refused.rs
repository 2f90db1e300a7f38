//! Credentials that no machine takes are an error of the call, so that others are tried.

use skep_driver::{ErrorKind, Target};
use skep_types::{InstanceRef, PowerAction, Secret};

use crate::coordinator::{Coordinator, intent};

/// At a port that refuses connections.
fn target(number: u64, key: &str) -> Target {
    let machine = format!(r#"{{"machine":{{"address":"127.0.0.1","port":{number}{key}}}}}"#);
    let provider_id = format!("h1-{number}.1@127.0.0.1:{number}").parse().unwrap();
    Target {
        instance: InstanceRef { provider_id, name: format!("web-{number}") },
        kept: Some(Secret::new(machine)),
    }
}

#[tokio::test]
async fn a_call_that_is_refused_as_a_whole_says_so() {
    let coordinator = Coordinator::new();
    let driver = coordinator.driver(&[]).await;
    let refused = intent(1, &[("generic-ip-address", "127.0.0.1"), ("generic-ssh-key", "/nowhere/key")]);
    assert_eq!(driver.ensure(&refused).await.unwrap_err().kind, ErrorKind::Auth);

    let without = r#","key":"/nowhere/key""#;
    let all = [target(1, without), target(2, without)];
    for error in [
        driver.destroy("c1", &all).await.unwrap_err(),
        driver.power("c1", PowerAction::Restart, &all).await.unwrap_err(),
    ] {
        assert_eq!(error.kind, ErrorKind::Auth);
        assert!(error.message.starts_with("none of 2 machines"), "{error}");
    }
    let alone = driver.destroy("c1", &all[..1]).await.unwrap_err();
    assert!(alone.message.starts_with("the private key /nowhere/key cannot be read"), "{alone}");

    // One that lets nobody in says nothing of the others.
    let some = driver.destroy("c1", &[target(1, without), target(2, "")]).await.unwrap();
    let kinds: Vec<_> = some.into_iter().map(|one| one.unwrap_err().kind).collect();
    assert_eq!(kinds, [ErrorKind::Auth, ErrorKind::Unavailable]);
    assert!(driver.destroy("c1", &[]).await.unwrap().is_empty());
}
