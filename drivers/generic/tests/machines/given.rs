//! What an account is given is judged when it is given.

use skep_driver::{DriverError, ErrorKind};

use crate::container::keygen;
use crate::coordinator::Coordinator;

async fn refused(credentials: &[(&str, &str)], options: &[(&str, &str)]) -> DriverError {
    Coordinator::new().try_open(credentials, options).await.unwrap_err()
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_with_its_place() {
    for (credential, text, why) in [
        ("inventory", "name,address,port\nweb-1,10.0.0.1,many\n", "line 2: \"many\" is no port"),
        ("inventory", "all:\n  hsots: {}\n", "group all: has \"hsots\""),
        ("inventory", "[web:hosts]\n", "line 1: a group has no \"hosts\""),
        ("ssh-config", "Host web\n  Port many\n", "line 2 of the SSH configuration: \"many\" is no port"),
        ("ssh-key", "hello", "it is not a private key in PEM"),
        ("ssh-certificate", "hello", "its certificate cannot be read"),
    ] {
        let error = refused(&[(credential, text)], &[]).await;
        let ErrorKind::InvalidSpec { violations } = &error.kind else { panic!("{error:?}") };
        assert_eq!(violations[0].field, format!("credentials.{credential}"));
        assert!(violations[0].description.contains(why), "{error}");
    }
    for option in ["generic-colour", "generic-allow-rsa"] {
        let error = refused(&[], &[(option, "red")]).await;
        let ErrorKind::InvalidSpec { violations } = &error.kind else { panic!("{error:?}") };
        assert_eq!(violations[0].field, format!("options.{option}"));
    }
}

#[tokio::test]
async fn an_rsa_key_is_let_in_by_a_setting() {
    let coordinator = Coordinator::new();
    let key = keygen(coordinator.folder(), "old", &["-t", "rsa", "-b", "2048"]);
    let pem = std::fs::read_to_string(key).unwrap();
    let error = refused(&[("ssh-key", &pem)], &[]).await;
    for part in ["credentials.ssh-key: RSA keys are not let in", "timing", "set generic-allow-rsa=true"] {
        assert!(error.message.contains(part), "{error}");
    }
    coordinator.open(&[("ssh-key", &pem)], &[("generic-allow-rsa", "true")]).await;
}
