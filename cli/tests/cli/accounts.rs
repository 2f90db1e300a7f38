//! Accounts: what they are made of, and that their secrets are shown to nobody.

use insta::assert_snapshot;
use skep_proto::v1::{Account, AccountLimits, Bucket, CredentialCommand, TestAccountReply};

use crate::fake::things::{created, drivers};
use crate::fake::{Fake, World};
use crate::run::Shell;

fn account(name: &str, credentials: &[&str]) -> Account {
    let bucket = Bucket { per_minute: 60, burst: 10 };
    Account {
        name: name.into(),
        owner: "c1".into(),
        owner_epoch: 3,
        revision: "r1-9".into(),
        driver: "local".into(),
        options: [("local-engine".to_owned(), "unix:///e".to_owned())].into(),
        credentials: credentials.iter().map(|name| (*name).to_owned()).collect(),
        limits: Some(AccountLimits {
            calls: [("create".to_owned(), bucket)].into(),
            instances: [("create".to_owned(), Bucket { burst: 50, ..bucket })].into(),
            calls_in_flight_max: 4,
        }),
        hosts: 2,
        ..Account::default()
    }
}

fn fake() -> Fake {
    let mut drivers = drivers();
    let by_command = Account {
        credential_command: Some(CredentialCommand { name: "sign-in".into(), arguments: vec!["-v".into()] }),
        coordinators: vec!["c1".into(), "c3".into()],
        ..account("prod", &[])
    };
    drivers[0].accounts = vec![account("local", &["engine-key"]), by_command];
    Fake::new(World { drivers, answer: created(), ..World::default() })
}

#[tokio::test]
async fn accounts_are_listed_without_secrets() {
    let shell = Shell::new(&fake());
    assert_snapshot!("account_ls", shell.run("account ls").await);
    assert_snapshot!("account_ls_json", shell.run("account ls -o json").await);
}

#[tokio::test]
async fn an_account_is_made_of_options_credentials_and_limits() {
    let fake = fake();
    let shell = Shell::new(&fake).with("KEY", "hunter2");
    let line = "account add prod --driver local --option local-engine=tcp://e --credential-env engine-key=KEY \
                --limit create=60/min,burst=10 --instance-limit create=2/s,burst=50 --max-in-flight 4 \
                --coordinator c1 --coordinator c3 --request-id r";
    assert_snapshot!("account_add", shell.run(line).await);
    assert_eq!(fake.world().credentials["engine-key"], "hunter2");
    assert_snapshot!("account_add_request", format!("{:?}", fake.world().account.clone().unwrap().limits));
    assert!(!format!("{:?}", fake.world().asked).contains("hunter2"));
}

#[tokio::test]
async fn credentials_come_from_files_variables_and_commands() {
    let fake = fake();
    let shell = Shell::new(&fake).with("LOCAL_ENGINE_KEY", "by itself");
    std::fs::write(shell.path("key"), "of a file\n").unwrap();
    let path = shell.path("key").display().to_string();
    let credential = || fake.world().credentials.get("engine-key").cloned();
    assert_eq!(shell.run("account rotate prod").await.code, 0);
    assert_eq!(credential().as_deref(), Some("by itself"));
    assert_eq!(shell.run(&format!("account rotate prod --credential-file engine-key={path}")).await.code, 0);
    assert_eq!(credential().as_deref(), Some("of a file"));
    assert_eq!(shell.run("account rotate prod --credential engine-key=given").await.code, 0);
    assert_eq!(credential().as_deref(), Some("given"));
    let line = "account add x --driver local --credential-command sign-in -- --role admin";
    assert_eq!(shell.run(line).await.code, 0);
    assert_eq!(credential(), None);
    let command = fake.world().account.clone().unwrap().credential_command.unwrap();
    assert_eq!((command.name.as_str(), command.arguments.join(" ")), ("sign-in", "--role admin".to_owned()));
}

#[tokio::test]
async fn mistakes_are_named_and_repeat_no_secret() {
    let fake = fake();
    let shell = Shell::new(&fake);
    let fails = async |line: &str| {
        let outcome = shell.run(line).await;
        assert_eq!(outcome.code, 2, "{outcome}");
        assert!(!outcome.err.contains("hunter2"), "{outcome}");
        outcome.err
    };
    assert!(fails("account rotate prod --credential hunter2").await.contains("--credential takes KEY=VALUE"));
    assert!(fails("driver test none --credential hunter2").await.contains("--credential takes NAME=VALUE"));
    assert!(fails("create web --label hunter2").await.contains("--label takes KEY=VALUE"));
    assert!(fails("create web --spread sim,hunter2").await.contains("--spread takes KEY=VALUE after"));
    assert!(fails("account rotate prod --credential-env k=NONE").await.contains("NONE is not set"));
    assert!(fails("account rotate nobody").await.contains("there is no account \"nobody\""));
    assert!(fails("account set-limits prod --limit create=1").await.contains("CLASS=N/min,burst=N"));
    assert!(fails("account set-limits prod --max-in-flight 0").await.contains("0 is not in"));
    let twice = "account rotate prod --credential a=hunter2 --credential-file a=/dev/null";
    assert!(fails(twice).await.contains("given twice"));
    assert!(fails("account add x --driver nimbus").await.contains("no driver \"nimbus\""));
}

#[tokio::test]
async fn a_test_says_how_it_ended() {
    let fake = fake();
    let shell = Shell::new(&fake);
    let ok = TestAccountReply {
        coordinator: "c2".into(),
        outcome: "ok".into(),
        instances: 3,
        took_ms: 120,
        ..Default::default()
    };
    fake.world().tested = ok.clone();
    assert_eq!(shell.run("account test prod").await.out, "ok: 3 instances, from c2, in 0.1 s\n");
    let message = "the key was refused".into();
    fake.world().tested = TestAccountReply { outcome: "auth".into(), message, ..ok };
    let outcome = shell.run("account test prod").await;
    assert_eq!(outcome.err, "skep: c2 cannot use account prod: auth: the key was refused\n");
    assert_eq!(outcome.code, 4);
}

#[tokio::test]
async fn limits_are_set_and_accounts_removed() {
    let fake = fake();
    let shell = Shell::new(&fake);
    assert_eq!(shell.run("account set-limits prod --limit create=6/min --request-id r").await.code, 0);
    assert_snapshot!("account_set_limits_request", fake.world().asked[0]);
    assert_eq!(shell.run("account rm prod").await.code, 2);
    assert_eq!(shell.run("account rm -y prod").await.code, 0);
}

#[tokio::test]
async fn hosts_are_made_in_an_account_of_whichever_driver() {
    let fake = fake();
    let shell = Shell::new(&fake).with("SKEP_DRIVER", "nimbus");
    assert_eq!(shell.run("create --account prod --local-memory 1g web").await.code, 0);
    let asked = fake.world().asked.last().unwrap().clone();
    assert!(
        asked.contains(r#"driver: "local", account: "prod", options: {"local-memory": "1g"}"#),
        "{asked}"
    );
    assert_eq!(shell.run("swarm create --account nobody s").await.code, 2);
}
