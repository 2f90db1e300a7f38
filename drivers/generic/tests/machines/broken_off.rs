//! A machine that goes away amid its adoption: with the marker, and without a word.

use skep_driver::ErrorKind;

use crate::coordinator::{Coordinator, intent};

/// The script that brings the agent waits for it.
const BUSY: &str = "printf '#!/bin/sh\\ntouch /tmp/waits; until [ -e /tmp/go ]; do sleep 0.05; done; exit 1\\n' \
    >/usr/local/bin/systemctl; chmod 755 /usr/local/bin/systemctl";
const AWAY: &str =
    "/usr/bin/systemctl stop ssh.socket ssh.service; pkill -KILL sshd; ! ss -Hltn 'sport = :22' | grep .";
const BACK: &str =
    "/usr/bin/systemctl start ssh.service; until ss -Hltn 'sport = :22' | grep -q .; do sleep 0.05; done";

// The test waits outside of its runtime.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_goes_away_amid_its_adoption_is_waited_for_and_found() {
    let coordinator = Coordinator::new();
    let machines = coordinator.boot(1);
    let machine = &machines[0];
    let driver = coordinator.driver(&[]).await;
    let intent = intent(1, &[("generic-ip-address", &machine.address)]);
    machine.sh(BUSY);
    let (making, call) = (driver.clone(), intent.clone());
    let making = tokio::spawn(async move { making.ensure(&call).await });
    machine.sh("until [ -e /tmp/waits ]; do sleep 0.05; done");
    machine.sh(AWAY);
    assert_eq!(making.await.unwrap().unwrap_err().kind, ErrorKind::Ambiguous);

    let refused = driver.ensure(&intent).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Ambiguous, "it carries the marker: {refused}");
    assert!(refused.message.contains("refuses connections"), "{refused}");
    // What another process of this coordinator does with it is the same.
    let restarted = coordinator.driver(&[]).await;
    assert_eq!(restarted.ensure(&intent).await.unwrap_err().kind, ErrorKind::Ambiguous);

    machine.sh(BACK);
    let found = restarted.list("c1", None).await.unwrap().instances;
    assert_eq!(found.iter().map(|found| found.intent).collect::<Vec<_>>(), [Some(intent.intent)]);
    machine.sh("rm /usr/local/bin/systemctl; touch /tmp/go");
    let made = restarted.ensure(&intent).await.unwrap();
    assert!(made.shortfall.is_none(), "{made:?}");
    assert_eq!(made.instances[0].instance, found[0].instance);
}
