//! Many machines at once, one connection each.

use std::sync::Arc;
use std::time::Instant;

use skep_driver::{ErrorKind, Target};

use crate::coordinator::{Coordinator, intent};

/// Two of them cannot be adopted.
const MACHINES: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn machines_are_adopted_at_once_with_one_connection_each_and_bad_ones_delay_nobody() {
    let coordinator = Coordinator::new();
    let machines = coordinator.boot(MACHINES);
    let mut inventory = "name,address\n".to_owned();
    let mut known = String::new();
    for (index, machine) in machines.iter().enumerate() {
        inventory.push_str(&format!("web-{index},{}\n", machine.address));
        known.push_str(&format!("{} {}\n", machine.address, machine.host_key("ed25519")));
    }
    machines[0].sh("iptables -A INPUT -p tcp --dport 22 -j DROP");
    machines[1].sh("rm /etc/ssh/ssh_host_* && ssh-keygen -qA && systemctl restart ssh");
    let driver = coordinator.driver(&[("inventory", &inventory), ("known-hosts", &known)]).await;
    let began = Instant::now();
    let calls: Vec<_> = (0..MACHINES as u64)
        .map(|number| {
            let driver = Arc::clone(&driver);
            tokio::spawn(async move { (driver.ensure(&intent(number, &[])).await, began.elapsed()) })
        })
        .collect();
    let mut made = Vec::new();
    for (index, call) in calls.into_iter().enumerate() {
        let (answer, after) = call.await.unwrap();
        println!("machine {index} after {after:?}");
        match index {
            0 => {
                let error = answer.unwrap().shortfall.unwrap();
                assert_eq!(error.kind, ErrorKind::Unavailable);
                assert!(error.message.contains("did not answer within 10 s while connecting"), "{error}");
            }
            1 => {
                let error = answer.unwrap_err();
                assert_eq!(error.kind, ErrorKind::Auth);
                assert!(error.message.contains("has changed: known is ssh-ed25519 SHA256:"), "{error}");
            }
            _ => {
                made.extend(answer.unwrap().instances);
                assert!(after.as_secs() < 10, "machine {index} took {after:?}");
            }
        }
    }
    for machine in &machines[2..] {
        let accepted = machine.sh("journalctl --no-pager --unit ssh | grep -c 'Accepted publickey'");
        assert_eq!(accepted, "1", "one connection to {}", machine.address);
    }
    let targets: Vec<Target> = made.iter().map(Target::from).collect();
    let seen = driver.observe("c1", &targets).await.unwrap();
    assert!(seen.iter().all(Result::is_ok), "{seen:?}");
    let released = driver.destroy("c1", &targets).await.unwrap();
    assert!(released.iter().all(Result::is_ok), "{released:?}");
}
