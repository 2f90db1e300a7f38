//! Flags that only the cluster knows.

use insta::assert_snapshot;

use crate::fake::things::{broken_drivers, created, drivers};
use crate::fake::{Fake, World};
use crate::run::Shell;

fn fake() -> Fake {
    Fake::new(World {
        drivers: drivers(),
        broken_drivers: broken_drivers(),
        answer: created(),
        ..World::default()
    })
}

/// The options of the last creation.
fn options(fake: &Fake) -> String {
    let asked = fake.world().asked.last().unwrap().clone();
    let from = asked.find("options: ").unwrap();
    asked[from..from + asked[from..].find('}').unwrap() + 1].to_owned()
}

#[tokio::test]
async fn they_may_stand_before_the_name_and_have_variables() {
    let fake = fake();
    let shell = Shell::new(&fake).with("LOCAL_MEMORY", "2g").with("LOCAL_CPUS", "4");
    assert_eq!(shell.run("create --local-quiet --local-memory=1g web").await.code, 0);
    assert_eq!(
        options(&fake),
        r#"options: {"local-cpus": "4", "local-memory": "1g", "local-quiet": "true"}"#
    );
    assert_eq!(shell.run("swarm create --local-cpus 1 s").await.code, 0);
    assert_eq!(options(&fake), r#"options: {"local-cpus": "1", "local-memory": "2g"}"#);
}

#[tokio::test]
async fn mistakes_are_named_and_nothing_is_asked_for() {
    let fake = fake();
    let shell = Shell::new(&fake);
    assert_snapshot!("unknown_flag", shell.run("create --local-colour red web").await);
    assert_snapshot!("wrong_type", shell.run("create --local-cpus many web").await);
    assert_snapshot!("unknown_driver", shell.run("create --driver nimbus web").await);
    assert_snapshot!("flag_of_another_driver", shell.run("create --nimbus-zone 1 web").await);
    assert_snapshot!("wrong_label", shell.run("create --label tier web").await);
    assert!(fake.world().asked.iter().all(|asked| asked.starts_with("Drivers/List")));
}

/// Below what the command has to say of itself.
#[tokio::test]
async fn help_shows_the_flags_of_the_driver_that_is_named() {
    let shell = Shell::new(&fake());
    let plain = shell.run("create --help").await.out;
    let helped = shell.run("create --driver local --help").await;
    let added = helped.out.strip_prefix(&plain).unwrap();
    assert_eq!((helped.code, helped.err.as_str()), (0, ""));
    assert_snapshot!("help_of_a_driver", added);
    assert_eq!(shell.run("swarm create --spread local,max=2 --local-cpus 1 -h").await.code, 0);
    let alone = Shell::without_cluster();
    for line in ["create --driver local --help", "create --driver machine/nimbus --help"] {
        assert_eq!(alone.run(line).await.out, plain, "{line}");
    }
}

#[tokio::test]
async fn drivers_and_their_flags_are_listed() {
    let shell = Shell::new(&fake());
    assert_snapshot!("driver_ls", shell.run("driver ls").await);
    assert_snapshot!("driver_ls_flags", shell.run("driver ls local").await);
    assert_snapshot!("driver_ls_json", shell.run("driver ls -o json").await);
    assert_snapshot!("driver_describe", shell.run("driver describe local").await);
}

#[tokio::test]
async fn how_long_tokens_are_kept_is_said_beside_them() {
    let mut drivers = drivers();
    drivers[0].idempotency = "token".into();
    drivers[0].token_retention_ms = 86_400_000;
    let fake = Fake::new(World { drivers, ..World::default() });
    let said = Shell::new(&fake).run("driver describe local").await.out;
    assert!(said.contains("\nIdempotency          token, kept for 24h\n"), "{said}");
}
