//! A create that breaks off half-way: what cannot be seen is not taken for what is not there.

#![allow(clippy::unwrap_used, reason = "a step that fails fails the test")]

#[path = "half_way/engine.rs"]
mod engine;

use std::collections::BTreeMap;

use skep_driver::{Bootstrap, CreateIntent, Driver, ErrorKind, Slot};
use skep_driver_local::{LocalConfig, LocalDriver};
use skep_types::{HostId, IntentId, Secret, Template};

use engine::{Engine, Fault};

const REFUSES: (u16, &str) = (500, r#"{"message":"the engine is not well"}"#);
const LOOK: Fault = Fault { asked: ("GET", "/containers/json"), once_made: false, answer: REFUSES };
const CREATE: Fault = Fault { asked: ("POST", "/containers/create"), once_made: false, answer: REFUSES };
const START: Fault = Fault { asked: ("POST", "/start"), once_made: true, answer: REFUSES };
const REMOVAL: Fault = Fault { asked: ("DELETE", "/containers/"), once_made: true, answer: REFUSES };

fn intent() -> CreateIntent {
    let bootstrap = Bootstrap {
        agent_urls: vec!["https://192.0.2.1/agent".to_owned()],
        agent_sha256: "0".repeat(64),
        agent_config: Secret::new(""),
    };
    CreateIntent {
        cluster: "c1".to_owned(),
        intent: IntentId::new(1, 1),
        token: "t1".to_owned(),
        template: Template {
            driver: "local".parse().unwrap(),
            account: "local".parse().unwrap(),
            options: BTreeMap::new(),
            labels: BTreeMap::new(),
        },
        slots: vec![Slot { name: "web-1".to_owned(), host: HostId::new(1, 1), incarnation: 1, bootstrap }],
        lost: false,
        inherited: None,
    }
}

/// How a create of one host ends, and whether it leaves a container.
async fn ends(faults: Vec<Fault>) -> (ErrorKind, bool) {
    let engine = Engine::start(faults);
    let config = LocalConfig { socket: engine.socket() };
    let driver = LocalDriver::connect("local".parse().unwrap(), config);
    let error = driver.ensure(&intent()).await.unwrap_err();
    (error.kind, engine.has_one())
}

#[tokio::test]
async fn only_an_engine_that_was_seen_to_have_nothing_ends_a_create() {
    let unwell = Fault { asked: ("GET", "/version"), ..LOOK };
    let once_made = Fault { once_made: true, ..LOOK };
    let unreadable = Fault { answer: (201, "<html>"), ..CREATE };
    let cases = [
        (vec![unwell], ErrorKind::Unavailable),
        (vec![LOOK], ErrorKind::Unavailable),
        (vec![once_made], ErrorKind::Ambiguous),
        (vec![unreadable], ErrorKind::Ambiguous),
        (vec![START, REMOVAL], ErrorKind::Ambiguous),
        (vec![CREATE], ErrorKind::Internal),
        (vec![START], ErrorKind::Internal),
    ];
    let mut wrong = Vec::new();
    for (faults, wanted) in cases {
        let told = format!("{faults:?}");
        let (kind, left) = ends(faults).await;
        if kind != wanted || left && kind == ErrorKind::Internal {
            wrong.push((told, kind, left));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
