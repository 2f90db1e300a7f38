//! Coordinators, people, events.

use insta::assert_snapshot;
use skep_proto::v1::{ClusterStatus, Coordinator, Event, Person, PersonRole};
use skep_tls::{Certified, Key};
use tonic::Status;

use crate::fake::things::{Authority, created};
use crate::fake::{Fake, Reel, World};
use crate::run::{Shell, mode};

fn fake() -> Fake {
    let coordinator = |id: &str, leader, alive| Coordinator {
        id: id.into(),
        address: format!("10.0.0.{}:7070", &id[1..]),
        raft_address: format!("10.0.0.{}:7071", &id[1..]),
        membership: "voter".into(),
        leader,
        agents: 2,
        alive,
        drivers: vec!["local".into(), "sim".into()],
        version: "0.1.0".into(),
    };
    let status = ClusterStatus {
        cluster: "c0".into(),
        epoch: 1,
        coordinator: "c2".into(),
        leader: "c1".into(),
        term: 4,
        coordinators: vec![
            coordinator("c1", true, true),
            coordinator("c2", false, true),
            coordinator("c3", false, false),
        ],
        hosts: 5,
        phases: [("Ready".to_owned(), 4), ("Booting".to_owned(), 1)].into(),
        swarms: 1,
        running_operations: 1,
        revision: "r1-90".into(),
        log_last: 90,
        log_first: 10,
        log_snapshot: 9,
    };
    let person = |name: &str, role: PersonRole| Person {
        name: name.into(),
        role: role.into(),
        certificate_generation: 2,
    };
    Fake::new(World {
        status,
        people: vec![person("zoe", PersonRole::Viewer), person("ann", PersonRole::Admin)],
        token: "skep-join-0-1".into(),
        answer: created(),
        issuer: Some(Authority::new()),
        ..World::default()
    })
}

#[tokio::test]
async fn the_cluster_is_looked_at() {
    let shell = Shell::new(&fake());
    assert_snapshot!("cluster_status", shell.run("cluster status").await);
    assert_snapshot!("cluster_status_json", shell.run("cluster status -o json").await);
    assert_eq!(shell.run("version").await.out, "skep 0.1.0\ncluster 0.1.0\n");
}

#[tokio::test]
async fn a_token_is_printed_once() {
    let fake = fake();
    let shell = Shell::new(&fake);
    let outcome = shell.run("cluster token --life 2h --request-id r").await;
    assert_eq!((outcome.code, outcome.out.as_str(), outcome.err.as_str()), (0, "skep-join-0-1\n", ""));
    assert!(fake.world().asked[0].contains("life_ms: 7200000"), "{:?}", fake.world().asked);
    fake.world().token.clear();
    assert_snapshot!("token_repeated", shell.run("cluster token --request-id r").await);
    assert_snapshot!("token_life", shell.run("cluster token --life soon").await);
}

#[tokio::test]
async fn leadership_and_membership_change() {
    let fake = fake();
    let shell = Shell::new(&fake);
    assert_eq!(shell.run("cluster transfer c2").await.out, "c2\n");
    assert_eq!(shell.run("cluster rm c3").await.code, 2);
    assert_eq!(shell.run("cluster rm -y c3").await.code, 0);
    assert!(fake.world().asked[1].contains(r#"coordinator: "c3""#));
}

#[tokio::test]
async fn a_coordinator_is_started_beside_the_program() {
    let outcome = Shell::without_cluster().run("cluster init --data /d --listen 127.0.0.1:0").await;
    assert_eq!(outcome.code, 1);
    assert!(outcome.err.starts_with("skep: cannot start /nonexistent/skepd: "), "{}", outcome.err);
}

#[tokio::test]
async fn people_come_and_go() {
    let fake = fake();
    let shell = Shell::new(&fake);
    assert_snapshot!("person_ls", shell.run("person ls").await);
    assert_snapshot!("person_role", shell.run("person put bob --role king").await);
    assert_eq!(
        shell.run("person put bob --role operator --dismiss-certificates --request-id r").await.code,
        0
    );
    assert_eq!(shell.run("person rm -y bob").await.code, 0);
    assert_snapshot!("person_put_request", fake.world().asked[1]);
}

#[tokio::test]
async fn a_person_is_handed_a_configuration() {
    let shell = Shell::new(&fake());
    let folder = shell.path("bob");
    let line = format!("person put bob --role operator --write-config {}", folder.display());
    let outcome = shell.run(&line).await;
    assert_eq!(outcome.code, 0, "{outcome}");
    let text = std::fs::read_to_string(folder.join("config.toml")).unwrap();
    assert!(text.contains("coordinators = [\"c1:1\", \"c2:1\", \"c3:1\"]"), "{text}");
    assert_eq!(mode(&folder), 0o700);
    let key = Key::load(&folder.join("person.key")).unwrap();
    Certified::load(&folder.join("person.pem"), &key).unwrap();
    assert_eq!(shell.run(&line).await.code, 1, "a folder that is there is left alone");
}

fn event(number: u64, reason: &str, message: &str) -> Event {
    Event {
        revision: format!("r1-{number}"),
        subject_kind: "host".into(),
        subject_id: "h1-1".into(),
        subject_name: "web-1".into(),
        reason: reason.into(),
        message: message.into(),
        age_ms: 60_000 - number * 1_000,
    }
}

#[tokio::test]
async fn events_go_on_after_the_last_one_seen() {
    let fake = fake();
    let reels = [
        Reel::Breaks(vec![event(1, "Booting", ""), event(2, "Joining", "as a worker\nof demo")]),
        Reel::Ends(vec![event(3, "Ready", "")]),
    ];
    fake.world().event_reels = reels.into();
    assert_snapshot!("events", Shell::new(&fake).run("events --no-follow web-1").await);
    assert_snapshot!("events_requests", fake.world().asked.join("\n"));
}

#[tokio::test]
async fn events_are_followed_until_they_are_compacted() {
    let fake = fake();
    fake.world().event_reels = [Reel::Ends(vec![event(1, "Booting", "")])].into();
    let refusal = Status::out_of_range("compacted: events up to r1-50 are gone");
    let shell = Shell::new(&fake);
    fake.world().refusals.insert("Events/Watch", [refusal].into());
    assert_snapshot!("events_compacted", shell.run("events --after r1-1").await);
    let outcome = shell.run("events --no-follow -o json").await;
    assert_snapshot!("events_json", outcome);
}
