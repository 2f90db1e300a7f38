//! Looking at hosts, and changing them.

use insta::assert_snapshot;
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

use crate::fake::things::{created, drivers, fleet};
use crate::fake::{Fake, World};
use crate::run::Shell;

fn fake() -> Fake {
    Fake::new(World { hosts: fleet(), drivers: drivers(), answer: created(), ..World::default() })
}

#[tokio::test]
async fn ls_prints_every_page_in_the_order_people_count() {
    let fake = fake();
    let shell = Shell::new(&fake);
    assert_snapshot!("ls", shell.run("ls").await);
    assert_eq!(fake.world().asked.len(), 2);
    assert_snapshot!("ls_quiet", shell.run("ls -q").await);
    assert_snapshot!("ls_json", shell.run("ls -o json").await);
}

#[tokio::test]
async fn ls_hands_filters_on() {
    let fake = fake();
    Shell::new(&fake).run("ls --filter phase=Ready --filter label=tier=web").await;
    let asked = fake.world().asked[0].clone();
    assert!(asked.contains(r#"filters: ["phase=Ready", "label=tier=web"]"#), "{asked}");
}

#[tokio::test]
async fn an_empty_list_is_a_line_of_headings() {
    let outcome = Shell::new(&Fake::default()).run("ls").await;
    assert_eq!(outcome.out, "NAME   STATE   DRIVER   URL   SWARM   ROLE   DOCKER   AGE   ERRORS\n");
}

#[tokio::test]
async fn one_host_is_looked_at() {
    let fake = fake();
    let shell = Shell::new(&fake);
    assert_snapshot!("inspect", shell.run("inspect web-2").await);
    assert_snapshot!("explain", shell.run("explain web-2").await);
    assert_eq!(shell.run("status web-2").await.out, "Ready\n");
    assert_eq!(shell.run("ip web-2").await.out, "172.30.0.12\n");
    assert_eq!(shell.run("url web-1").await.out, "tcp://[2001:db8::1]:2376\n");
}

#[tokio::test]
async fn of_several_names_each_is_answered() {
    let shell = Shell::new(&fake());
    assert_snapshot!("several_names", shell.run("status web-1 web-7 web-2 web-8").await);
    assert_snapshot!("no_address", shell.run("ip web-3").await);
}

#[tokio::test]
async fn a_creation_carries_all_that_was_said() {
    let fake = fake();
    let line = "create --count 3 --min-count 2 --policy best-effort --max-failures 1 --on-failure delete \
                --label tier=web --label x= --driver local --request-id r1 --if-revision r1-3 --local-memory 1g web";
    let outcome = Shell::new(&fake).run(line).await;
    assert_snapshot!("create", outcome);
    assert_snapshot!("create_request", fake.world().asked.join("\n"));
}

#[tokio::test]
async fn every_request_gets_an_id_of_its_own() {
    let fake = fake();
    let shell = Shell::new(&fake);
    shell.run("stop web-1").await;
    shell.run("stop web-1").await;
    let asked = fake.world().asked.clone();
    let id = |asked: &str| asked.split('"').nth(1).unwrap().to_owned();
    assert_eq!(id(&asked[0]).len(), 36);
    assert_ne!(id(&asked[0]), id(&asked[1]));
}

#[tokio::test]
async fn power_is_one_request_for_all_names() {
    let fake = fake();
    let shell = Shell::new(&fake);
    for verb in ["start", "stop", "restart", "kill"] {
        assert_eq!(shell.run(&format!("{verb} --request-id r web-1 web-2")).await.code, 0);
    }
    assert_snapshot!("power_requests", fake.world().asked.join("\n"));
}

#[tokio::test]
async fn nothing_is_deleted_without_consent() {
    let fake = fake();
    let shell = Shell::new(&fake);
    assert_snapshot!("rm_unasked", shell.run("rm web-1").await);
    assert!(fake.world().asked.is_empty());
    assert_eq!(shell.run("rm -y --request-id r web-1").await.code, 0);
    assert_eq!(shell.run("rm -f --request-id r web-1 web-2").await.code, 0);
    assert_snapshot!("rm_requests", fake.world().asked.join("\n"));
}

#[tokio::test]
async fn a_dry_run_prints_the_plan() {
    let fake = fake();
    fake.world().answer.id = String::new();
    fake.world().answer.plan = vec!["delete host web-1".into(), "remove node of web-1".into()];
    assert_snapshot!("dry_run", Shell::new(&fake).run("rm --dry-run web-1").await);
}

#[tokio::test]
async fn a_refusal_names_each_field_once() {
    let said = "the request is invalid; count: is 0; use 1 to 100000; name: \"Web\" is not a DNS label";
    for message in ["the request is invalid", said] {
        let fake = fake();
        let mut details = ErrorDetails::new();
        details.add_bad_request_violation("count", "is 0; use 1 to 100000");
        details.add_bad_request_violation("name", "\"Web\" is not a DNS label");
        let status = Status::with_error_details(tonic::Code::InvalidArgument, message, details);
        fake.world().refusals.insert("Hosts/Create", [status].into());
        assert_snapshot!("refusal", Shell::new(&fake).run("create --count 0 Web").await);
    }
}

#[tokio::test]
async fn each_kind_of_refusal_has_its_code() {
    let cases = [
        (Status::invalid_argument("m"), 2),
        (Status::not_found("m"), 3),
        (Status::already_exists("m"), 4),
        (Status::failed_precondition("m"), 4),
        (Status::aborted("m"), 4),
        (Status::out_of_range("m"), 4),
        (Status::resource_exhausted("m"), 5),
        (Status::permission_denied("m"), 6),
        (Status::unauthenticated("m"), 6),
        (Status::internal("m"), 1),
    ];
    for (status, code) in cases {
        let fake = fake();
        let kind = status.code();
        fake.world().refusals.insert("Hosts/Delete", [status].into());
        let outcome = Shell::new(&fake).run("rm -y web-1").await;
        assert_eq!((outcome.code, outcome.err.as_str()), (code, "skep: m\n"), "{kind:?}");
    }
}

#[tokio::test]
async fn without_a_configuration_the_way_to_one_is_told() {
    assert_snapshot!("no_cluster", Shell::without_cluster().run("ls").await);
    let outcome = Shell::without_cluster().run("version").await;
    assert_eq!((outcome.code, outcome.out.as_str()), (0, "skep 0.1.0\n"));
}
