//! Swarms.

use insta::assert_snapshot;
use skep_proto::v1::Swarm;

use crate::fake::things::{created, drivers};
use crate::fake::{Fake, World};
use crate::run::Shell;

fn fake() -> Fake {
    let swarm = |name: &str, state: &str| Swarm {
        id: "s1-1".into(),
        name: name.into(),
        revision: "r1-4".into(),
        state: state.into(),
        managers: 3,
        managers_ready: 3,
        workers: 2,
        workers_ready: 1,
        foreign_nodes: vec!["n0".into()],
        leader: format!("{name}-manager-1"),
        age_ms: 9_000,
        ..Swarm::default()
    };
    let swarms = vec![swarm("two", "Degraded"), swarm("demo", "Ready")];
    Fake::new(World { swarms, drivers: drivers(), answer: created(), ..World::default() })
}

#[tokio::test]
async fn a_swarm_is_made_as_asked() {
    let fake = fake();
    let line =
        "swarm create demo --managers 3 --workers 2 --driver local --policy all-or-nothing --request-id r";
    assert_eq!(Shell::new(&fake).run(line).await.code, 0);
    assert_snapshot!("swarm_create_request", fake.world().asked.last().unwrap());
}

#[tokio::test]
async fn swarms_are_looked_at() {
    let shell = Shell::new(&fake());
    assert_snapshot!("swarm_ls", shell.run("swarm ls").await);
    assert_eq!(shell.run("swarm ls -q").await.out, "demo\ntwo\n");
    assert_snapshot!("swarm_inspect", shell.run("swarm inspect demo").await);
}

#[tokio::test]
async fn each_swarm_is_deleted_by_a_request_of_its_own() {
    let fake = fake();
    let shell = Shell::new(&fake);
    assert_eq!(shell.run("swarm rm demo").await.code, 2);
    assert_eq!(shell.run("swarm rm -y --request-id r demo two").await.code, 2);
    assert!(fake.world().asked.is_empty());
    assert_eq!(shell.run("swarm rm -y demo two").await.code, 0);
    let asked = fake.world().asked.clone();
    assert_eq!(asked.len(), 2);
    assert!(asked[0].contains(r#"swarm: "demo""#) && asked[1].contains(r#"swarm: "two""#), "{asked:?}");
}
