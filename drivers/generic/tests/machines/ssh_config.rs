//! Machines as `~/.ssh/config` knows them.

use std::fs;

use skep_driver::{ErrorKind, Target};

use crate::container::keygen;
use crate::coordinator::{Coordinator, intent, nothing};

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_is_reached_as_the_configuration_says() {
    let coordinator = Coordinator::new();
    let machines = coordinator.boot(2);
    let (gate, web) = (&machines[0], &machines[1]);
    // The gate takes a key of its own, and the machine listens elsewhere, for its gate and for one user only.
    let gate_key = keygen(coordinator.folder(), "gate", &["-t", "ecdsa"]);
    gate.let_in("ops", &gate_key);
    web.let_in("deploy", &coordinator.key);
    web.sh("echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/test; rm ~root/.ssh/authorized_keys");
    web.sh("systemctl disable --now ssh.socket 2>/dev/null; :");
    web.configure("Port 2222");
    web.sh(&format!("iptables -A INPUT -p tcp --dport 2222 ! -s {} -j REJECT", gate.address));
    let config = format!(
        "Host web-*\n  HostName {}\n  User deploy\n  Port 2222\n  ProxyJump gate\n\
         Host gate\n  HostName {}\n  User ops\n  IdentityFile /nowhere/key\n  IdentityFile {}\n",
        web.address,
        gate.address,
        gate_key.display()
    );
    let inventory = "name,address\nweb-1,web-1.example\n";
    let driver = coordinator.driver(&[("inventory", inventory), ("ssh-config", &config)]).await;
    let made = driver.ensure(&intent(1, &[])).await.unwrap().instances.remove(0);
    assert_eq!(made.instance.provider_id.as_str(), "h1-1.1@web-1.example:22", "it is called as it was named");
    assert_eq!(made.private_address.unwrap().to_string(), web.address);
    let kept = made.kept.as_ref().unwrap().reveal();
    assert!(
        kept.contains(&format!("{}:22", gate.address)) && kept.contains(&format!("{}:2222", web.address))
    );

    // Under another word it is the same instance: nobody takes it for one that nobody owns.
    let other = format!("name,address,user,port,jump\nweb-1,{},deploy,2222,gate\n", web.address);
    let renamed = coordinator.driver(&[("inventory", &other), ("ssh-config", &config)]).await;
    let listed = renamed.list("c1", None).await.unwrap().instances;
    assert_eq!(listed.iter().map(|found| &found.instance).collect::<Vec<_>>(), [&made.instance]);

    // What is said wins; and when nobody is let in, each key is told, also those that are not there.
    fs::remove_file(&gate_key).unwrap();
    let options = [("generic-ip-address", "web-1"), ("generic-ssh-user", "nobody")];
    let driver = coordinator.driver(&[("ssh-config", &config)]).await;
    let error = nothing(&*driver, &intent(2, &options)).await;
    assert_eq!(error.kind, ErrorKind::Auth);
    for part in [
        "does not let ops in",
        "key ssh-key (ssh-ed25519 SHA256:",
        "key /nowhere/key (this coordinator has no file /nowhere/key)",
    ] {
        assert!(error.message.contains(part), "{error}");
    }
    fs::write(&gate_key, "no key\n").unwrap();
    let error = nothing(&*driver, &intent(2, &options)).await;
    assert!(error.message.contains("it is not a private key in PEM"), "{error}");

    renamed.destroy("c1", &[Target::from(&made)]).await.unwrap_err();
    gate.let_in("ops", &coordinator.key);
    renamed.destroy("c1", &[Target::from(&made)]).await.unwrap().remove(0).unwrap();
    web.sh("[ ! -e /etc/skep ]");
}
