//! Streams to a machine's own ports, which nobody reaches from outside.

use std::time::Duration;

use skep_driver::{ErrorKind, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::coordinator::{Coordinator, intent};

/// Logins that last.
const LOGINS: &str = "ss -Htn state established 'sport = :22' | wc -l";
const SSH: u16 = 22;
const NOBODY: u16 = 1;

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_lasts_as_long_as_somebody_holds_it_and_leads_to_its_own_machine_only() {
    let coordinator = Coordinator::new();
    let machines = coordinator.boot(1);
    let machine = &machines[0];
    let driver = coordinator.driver(&[]).await;
    let made = driver.ensure(&intent(1, &[("generic-ip-address", &machine.address)])).await.unwrap();
    let target = Target::from(&made.instances[0]);

    let mut tunnel = driver.tunnel("c1", &target, SSH).await.unwrap().into_inner();
    let mut banner = [0; 8];
    tunnel.read_exact(&mut banner).await.unwrap();
    assert_eq!(&banner, b"SSH-2.0-");
    tunnel.write_all(b"hello\r\n").await.unwrap();
    let mut rest = Vec::new();
    tunnel.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"\r\n"), "the server says what it does not like, and hangs up");

    let held = driver.tunnel("c1", &target, SSH).await.unwrap();
    assert_ne!(machine.sh(LOGINS), "0");
    drop((tunnel, held));
    let ended = async {
        while machine.sh(LOGINS) != "0" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("connections end with their tunnels");

    let refused = driver.tunnel("c1", &target, NOBODY).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unavailable, "{refused}");
    let foreign = driver.tunnel("c2", &target, SSH).await.unwrap_err();
    assert_eq!(foreign.kind, ErrorKind::NotFound, "{foreign}");
}
