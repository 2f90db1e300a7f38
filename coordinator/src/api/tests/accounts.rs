//! Accounts over the wire: who may, what is refused, and where secrets do not stand.

use std::collections::BTreeMap;

use tokio::time::{Instant, timeout};

use super::coordinator::{Clients, Coordinator};
use super::lab_driver::SILENT;
use super::*;

const SECRET: &str = "hunter2-hunter2";

fn add(request_id: &str) -> pb::AddAccountRequest {
    pb::AddAccountRequest {
        mutation: mutation(request_id),
        name: "prod".to_owned(),
        driver: "lab".to_owned(),
        options: pairs("lab-endpoint", "https://lab"),
        credentials: pairs("lab-key", SECRET),
        ..Default::default()
    }
}

fn pairs(key: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(key.to_owned(), value.to_owned())])
}

fn calls(class: &str, per_minute: u32, burst: u32) -> Option<pb::AccountLimits> {
    let calls = BTreeMap::from([(class.to_owned(), pb::Bucket { per_minute, burst })]);
    Some(pb::AccountLimits { calls, ..Default::default() })
}

fn command(name: &str) -> Option<pb::CredentialCommand> {
    Some(pb::CredentialCommand { name: name.to_owned(), arguments: Vec::new() })
}

async fn accounts(clients: &mut Clients) -> Vec<pb::Account> {
    clients.drivers.list_accounts(pb::ListAccountsRequest {}).await.unwrap().into_inner().accounts
}

#[tokio::test]
async fn an_account_comes_changes_and_goes() {
    let coordinator = Coordinator::start().await;
    let mut admin = coordinator.admin();
    let planned =
        admin.drivers.add_account(pb::AddAccountRequest { mutation: dry("plan"), ..add("x") }).await;
    assert_eq!(planned.unwrap().into_inner().plan, ["add account prod of driver lab"]);
    assert_eq!(accounts(&mut admin).await.len(), 1, "the driver's own");

    let made = admin.drivers.add_account(add("make")).await.unwrap().into_inner();
    let again = admin.drivers.add_account(add("make")).await.unwrap().into_inner();
    assert_eq!((made.state.as_str(), &made.id), ("Succeeded", &again.id));
    let other = pb::AddAccountRequest { credentials: pairs("lab-key", "another"), ..add("make") };
    let status = admin.drivers.add_account(other).await.unwrap_err();
    assert_eq!(fields(&status), ["mutation.request_id"], "the secret is part of the request");
    let taken = admin.drivers.add_account(add("take")).await.unwrap_err();
    assert_eq!((taken.code(), fields(&taken)), (Code::AlreadyExists, vec!["name".to_owned()]));

    let limits = pb::SetAccountLimitsRequest {
        mutation: mutation("limits"),
        name: "prod".to_owned(),
        limits: calls("create", 6, 2),
    };
    admin.drivers.set_account_limits(limits).await.unwrap();
    let rotate = pb::RotateAccountCredentialsRequest {
        mutation: mutation("rotate"),
        name: "prod".to_owned(),
        credential_command: command("sign-in"),
        ..Default::default()
    };
    admin.drivers.rotate_account_credentials(rotate).await.unwrap();
    let prod = accounts(&mut admin).await.into_iter().find(|account| account.name == "prod").unwrap();
    assert_eq!(prod.limits.unwrap().calls["create"], pb::Bucket { per_minute: 6, burst: 2 });
    assert_eq!((prod.credential_command, prod.credentials), (command("sign-in"), Vec::new()));
    let remove = pb::RemoveAccountRequest { mutation: mutation("remove"), name: "prod".to_owned() };
    admin.drivers.remove_account(remove).await.unwrap();
    assert_eq!(accounts(&mut admin).await.len(), 1);
    coordinator.stop().await;
}

#[tokio::test]
async fn accounts_are_for_admins_to_change_and_for_viewers_to_see() {
    let coordinator = Coordinator::start().await;
    let mut admin = coordinator.admin();
    admin.cluster.put_person(person("otto", PersonRole::Operator)).await.unwrap();
    let mut otto = coordinator.person(&mut admin, "otto").await;
    assert_eq!(accounts(&mut otto).await.len(), 1);
    let name = "lab".to_owned();
    let denied = [
        otto.drivers.add_account(add("a")).await.unwrap_err(),
        otto.drivers.remove_account(pb::RemoveAccountRequest::default()).await.unwrap_err(),
        otto.drivers.set_account_limits(pb::SetAccountLimitsRequest::default()).await.unwrap_err(),
        otto.drivers
            .rotate_account_credentials(pb::RotateAccountCredentialsRequest::default())
            .await
            .unwrap_err(),
        otto.drivers.test_account(pb::TestAccountRequest { name }).await.unwrap_err(),
    ];
    assert!(denied.iter().all(|status| status.code() == Code::PermissionDenied), "{denied:?}");
    coordinator.stop().await;
}

#[tokio::test]
async fn bad_accounts_are_refused_by_field() {
    let coordinator = Coordinator::start().await;
    let mut admin = coordinator.admin();
    let good = || add("bad");
    let large = "x".repeat(64 * 1024 + 1);
    let cases = [
        ("name", pb::AddAccountRequest { name: "Prod!".to_owned(), ..good() }),
        ("driver", pb::AddAccountRequest { driver: String::new(), ..good() }),
        ("driver", pb::AddAccountRequest { driver: "clod".to_owned(), ..good() }),
        ("options.lab-wings", pb::AddAccountRequest { options: pairs("lab-wings", "2"), ..good() }),
        ("credentials.lab-kee", pb::AddAccountRequest { credentials: pairs("lab-kee", SECRET), ..good() }),
        ("credentials.lab-key", pb::AddAccountRequest { credentials: pairs("lab-key", &large), ..good() }),
        ("credentials.lab-key", pb::AddAccountRequest { credentials: pairs("lab-key", ""), ..good() }),
        ("credentials", pb::AddAccountRequest { credential_command: command("sign-in"), ..good() }),
        (
            "credential_command.name",
            pb::AddAccountRequest {
                credential_command: command("../sign-in"),
                credentials: BTreeMap::new(),
                ..good()
            },
        ),
        ("limits.calls.create.per_minute", pb::AddAccountRequest { limits: calls("create", 0, 1), ..good() }),
        ("limits.calls.create.burst", pb::AddAccountRequest { limits: calls("create", 1, 0), ..good() }),
        ("limits.calls.fly", pb::AddAccountRequest { limits: calls("fly", 1, 1), ..good() }),
        ("coordinators", pb::AddAccountRequest { coordinators: vec!["c9".to_owned()], ..good() }),
        ("coordinators", pb::AddAccountRequest { coordinators: vec!["nine".to_owned()], ..good() }),
    ];
    for (field, request) in cases {
        let status = admin.drivers.add_account(request).await.unwrap_err();
        assert_eq!(
            (status.code(), fields(&status)),
            (Code::InvalidArgument, vec![field.to_owned()]),
            "{status}"
        );
        assert!(!format!("{status:?}").contains(SECRET));
    }
    assert_eq!(accounts(&mut admin).await.len(), 1);
    coordinator.stop().await;
}

#[tokio::test]
async fn a_secret_stands_in_no_answer_and_in_no_record() {
    let coordinator = Coordinator::start().await;
    let mut admin = coordinator.admin();
    let made = admin.drivers.add_account(add("make")).await.unwrap().into_inner();
    let drivers = admin.drivers.list(pb::ListDriversRequest {}).await.unwrap().into_inner();
    let audit = admin.events.audit(pb::AuditRequest::default()).await.unwrap().into_inner();
    assert_eq!(audit.records[0].method, "Drivers/AddAccount");
    let history = pb::WatchEventsRequest { history: true, no_follow: true, ..Default::default() };
    let events = read_all(&mut admin, history).await;
    assert!(events.iter().any(|event| event.reason == "AccountAdded" && event.subject_name == "prod"));
    let accounts = accounts(&mut admin).await;
    assert_eq!(accounts[1].credentials, ["lab-key"]);
    let all = format!("{made:?} {drivers:?} {audit:?} {events:?} {accounts:?} {:?}", add("x"));
    assert!(!all.contains(SECRET), "{all}");
    // Nor can it be guessed by the digest that is audited.
    let plain = pb::AddAccountRequest { mutation: None, ..add("x") };
    let digest = crate::api::convert::mutation::body_digest("Drivers/AddAccount", &plain);
    assert_ne!(audit.records[0].body_sha256, digest.to_string());
    coordinator.stop().await;
}

#[tokio::test]
async fn an_account_is_tried_where_its_driver_is() {
    let coordinator = Coordinator::start().await;
    let mut admin = coordinator.admin();
    let mut test = async |name: &str| {
        let request = pb::TestAccountRequest { name: name.to_owned() };
        admin.drivers.test_account(request).await.map(tonic::Response::into_inner)
    };
    let tried = test("lab").await.unwrap();
    assert_eq!((tried.outcome.as_str(), tried.coordinator.as_str(), tried.instances), ("ok", "c1", 0));
    assert_eq!(test("nobody").await.unwrap_err().code(), Code::NotFound);
    let by_command = pb::AddAccountRequest {
        credential_command: command("sign-in"),
        credentials: BTreeMap::new(),
        ..add("command")
    };
    coordinator.admin().drivers.add_account(by_command).await.unwrap();
    let tried = test("prod").await.unwrap();
    assert_eq!(tried.outcome, "unavailable");
    assert!(tried.message.contains("--credential-commands"), "{tried:?}");
    coordinator.stop().await;
}

/// Its opening goes on beside the calls, whose clients would take a coordinator that is silent for 30 s for dead.
#[tokio::test]
async fn nobody_is_kept_waiting_by_an_account_that_is_being_opened() {
    let coordinator = Coordinator::start().await;
    let (mut admin, mut other) = (coordinator.admin(), coordinator.admin());
    let silent = pb::AddAccountRequest { options: pairs("lab-endpoint", SILENT), ..add("make") };
    admin.drivers.add_account(silent).await.unwrap();
    let template =
        pb::Template { driver: "lab".to_owned(), account: "prod".to_owned(), ..Default::default() };
    let share = pb::Share { template: Some(template), ..Default::default() };
    let spread = vec![share.clone(), share];
    let request = pb::CreateHostsRequest { template: None, spread, ..create(mutation("web"), "web", 2) };
    let begun = Instant::now();
    let create = timeout(PATIENCE, admin.hosts.create(request));
    let test =
        timeout(PATIENCE, other.drivers.test_account(pb::TestAccountRequest { name: "prod".to_owned() }));
    let (created, tested) = tokio::join!(create, test);
    created.expect("it waits for the account").unwrap();
    let tested = tested.expect("it waits for the account").unwrap().into_inner();
    assert_eq!(tested.outcome, "unavailable");
    assert!(tested.message.contains("still being opened"), "{tested:?}");
    assert!(begun.elapsed() < Duration::from_secs(18), "shares are opened one after the other");
    coordinator.stop().await;
}
