//! Pointing `docker` at a host.

use insta::assert_snapshot;
use skep_tls::{Certified, Key};

use crate::fake::things::{Authority, fleet};
use crate::fake::{Fake, World};
use crate::run::{Shell, mode};

fn fake() -> Fake {
    Fake::new(World { hosts: fleet(), issuer: Some(Authority::new()), ..World::default() })
}

fn certificates_asked_for(fake: &Fake) -> usize {
    fake.world().asked.iter().filter(|asked| asked.starts_with("Hosts/DockerAccess")).count()
}

#[tokio::test]
async fn env_speaks_every_shell() {
    let fake = fake();
    let shell = Shell::new(&fake);
    for name in ["bash", "fish", "powershell", "cmd", "tcsh", "emacs"] {
        assert_snapshot!(format!("env_{name}"), shell.run(&format!("env --shell {name} web-2")).await);
        assert_snapshot!(
            format!("env_unset_{name}"),
            shell.run(&format!("env --shell {name} --unset")).await
        );
    }
    // All of them with the certificate of the first.
    assert_eq!(certificates_asked_for(&fake), 1);
}

#[tokio::test]
async fn the_shell_is_taken_from_its_variable() {
    let shell = Shell::new(&fake()).with("SHELL", "/usr/bin/fish");
    assert!(shell.run("env -u").await.out.starts_with("set -e DOCKER_TLS_VERIFY;\n"));
}

#[tokio::test]
async fn the_files_are_a_pair_for_their_owner_alone() {
    let shell = Shell::new(&fake());
    assert_eq!(shell.run("env web-2").await.code, 0);
    let folder = shell.path("docker/web-2");
    assert_eq!(mode(&folder), 0o700);
    for name in ["ca.pem", "cert.pem", "key.pem"] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
    let key = Key::load(&folder.join("key.pem")).unwrap();
    Certified::load(&folder.join("cert.pem"), &key).unwrap();
}

#[tokio::test]
async fn past_half_of_its_life_a_certificate_is_replaced_and_the_key_stays() {
    let fake = fake();
    let shell = Shell::new(&fake);
    shell.run("env web-2").await;
    let folder = shell.path("docker/web-2");
    let key = std::fs::read_to_string(folder.join("key.pem")).unwrap();
    let old = fake.world().issuer.as_ref().unwrap().leaf(Key::from_pem(&key).unwrap().public(), 3_600, 600);
    std::fs::write(folder.join("cert.pem"), &old).unwrap();
    assert_eq!(shell.run("env web-2").await.code, 0);
    assert_eq!(certificates_asked_for(&fake), 2);
    assert_ne!(std::fs::read_to_string(folder.join("cert.pem")).unwrap(), old);
    assert_eq!(std::fs::read_to_string(folder.join("key.pem")).unwrap(), key);
}

#[tokio::test]
async fn a_swarm_is_reached_through_a_manager() {
    let fake = fake();
    let shell = Shell::new(&fake);
    assert_snapshot!("env_swarm", shell.run("env --swarm demo --shell bash").await);
    assert!(shell.path("docker/demo.swarm/cert.pem").exists());
    assert_eq!(shell.run("env --swarm ../../demo").await.code, 2);
}

#[tokio::test]
async fn config_prints_flags() {
    let shell = Shell::new(&fake());
    assert_snapshot!("config", shell.run("config web-2").await);
    assert_eq!(shell.run("config web-9").await.code, 3);
}
