//! The services over the wire: one coordinator, mTLS clients, and a driver that makes nothing.

mod accounts;
mod coordinator;
mod lab_driver;

use std::time::Duration;

use futures::StreamExt;
use skep_proto::v1 as pb;
use skep_types::PersonRole;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

use coordinator::{Clients, Coordinator};

/// Everything a test waits for comes within seconds, or never.
const PATIENCE: Duration = Duration::from_secs(30);

fn mutation(request_id: &str) -> Option<pb::Mutation> {
    Some(pb::Mutation { request_id: request_id.to_owned(), ..pb::Mutation::default() })
}

fn dry(request_id: &str) -> Option<pb::Mutation> {
    mutation(request_id).map(|mutation| pb::Mutation { dry_run: true, ..mutation })
}

fn create(mutation: Option<pb::Mutation>, name: &str, count: u32) -> pb::CreateHostsRequest {
    let template = pb::Template { driver: "lab".to_owned(), ..pb::Template::default() };
    pb::CreateHostsRequest {
        mutation,
        template: Some(template),
        name: name.to_owned(),
        count,
        ..pb::CreateHostsRequest::default()
    }
}

fn fields(status: &Status) -> Vec<String> {
    let violations = status.get_details_bad_request().map(|details| details.field_violations);
    violations.into_iter().flatten().map(|violation| violation.field).collect()
}

async fn next<T>(stream: &mut Streaming<T>) -> Option<Result<T, Status>> {
    tokio::time::timeout(PATIENCE, stream.next()).await.expect("nothing came")
}

/// Watches an operation to its end.
async fn finished(clients: &mut Clients, id: &str) -> pb::Operation {
    let request = pb::GetOperationRequest { operation: id.to_owned() };
    let mut stream = clients.operations.watch(request).await.unwrap().into_inner();
    let mut last = None;
    while let Some(operation) = next(&mut stream).await {
        last = Some(operation.unwrap());
    }
    last.expect("a watch begins with the operation as it is")
}

async fn hosts(clients: &mut Clients) -> Vec<String> {
    let reply = clients.hosts.list(pb::ListHostsRequest::default()).await.unwrap().into_inner();
    reply.hosts.into_iter().map(|host| host.name).collect()
}

#[tokio::test]
async fn a_request_is_planned_made_repeated_watched_and_undone() {
    let coordinator = Coordinator::start().await;
    let mut clients = coordinator.admin();
    let planned = clients.hosts.create(create(dry("plan"), "web", 2)).await.unwrap().into_inner();
    assert_eq!(planned.plan, ["create host web-1 (driver lab)", "create host web-2 (driver lab)"]);
    assert_eq!(planned.id, "");
    assert_eq!(hosts(&mut clients).await, Vec::<String>::new());

    let made = clients.hosts.create(create(mutation("make"), "web", 2)).await.unwrap().into_inner();
    let again = clients.hosts.create(create(mutation("make"), "web", 2)).await.unwrap().into_inner();
    assert_eq!(made.id, again.id);
    assert_eq!(hosts(&mut clients).await, ["web-1", "web-2"]);
    let other = clients.hosts.create(create(mutation("make"), "web", 3)).await.unwrap_err();
    assert_eq!((other.code(), fields(&other)), (Code::Aborted, vec!["mutation.request_id".to_owned()]));
    let taken = clients.hosts.create(create(mutation("take"), "web", 2)).await.unwrap_err();
    assert_eq!((taken.code(), fields(&taken)), (Code::AlreadyExists, vec!["name".to_owned()]));

    let end = finished(&mut clients, &made.id).await;
    assert_eq!((end.state.as_str(), end.items_failed), ("Failed", 2));
    assert!(end.failures[0].reason.contains("the lab makes nothing"), "{:?}", end.failures);
    let one = pb::GetHostRequest { host: "web-1".to_owned() };
    assert_eq!(clients.hosts.get(one.clone()).await.unwrap().into_inner().phase, "Failed");
    let told = clients.hosts.explain(one).await.unwrap().into_inner();
    assert_eq!((told.step.as_str(), told.reason.as_str()), ("wait", "Person"));

    let names = vec!["web-1".to_owned(), "web-2".to_owned()];
    let delete = pb::DeleteHostsRequest { mutation: mutation("undo"), hosts: names, force: false };
    let undone = clients.hosts.delete(delete.clone()).await.unwrap().into_inner();
    assert_eq!(finished(&mut clients, &undone.id).await.state, "Succeeded");
    assert_eq!(hosts(&mut clients).await, Vec::<String>::new());
    let again = clients.hosts.delete(delete).await.unwrap().into_inner();
    assert_eq!(again.id, undone.id, "although its hosts are gone");
    coordinator.stop().await;
}

#[tokio::test]
async fn bad_input_is_refused_by_field_and_changes_nothing() {
    let coordinator = Coordinator::start().await;
    let mut clients = coordinator.admin();
    let good = || create(mutation("x"), "web", 1);
    let template = |driver: &str, option: &str| {
        let options = [(option.to_owned(), "1".to_owned())].into();
        Some(pb::Template { driver: driver.to_owned(), options, ..pb::Template::default() })
    };
    let cases = [
        ("count", pb::CreateHostsRequest { count: 0, ..good() }),
        ("count", pb::CreateHostsRequest { count: 100_001, ..good() }),
        ("name", pb::CreateHostsRequest { name: "Web!".to_owned(), ..good() }),
        ("template.driver", pb::CreateHostsRequest { template: template("clod", "x"), ..good() }),
        (
            "template.options.lab-wings",
            pb::CreateHostsRequest { template: template("lab", "lab-wings"), ..good() },
        ),
        ("mutation.request_id", pb::CreateHostsRequest { mutation: None, ..good() }),
    ];
    for (field, request) in cases {
        let status = clients.hosts.create(request).await.unwrap_err();
        assert_eq!(
            (status.code(), fields(&status)),
            (Code::InvalidArgument, vec![field.to_owned()]),
            "{status}"
        );
    }
    let swarm = pb::CreateSwarmRequest {
        mutation: mutation("y"),
        name: "demo".to_owned(),
        template: good().template,
        managers: 2,
        ..pb::CreateSwarmRequest::default()
    };
    let status = clients.swarms.create(swarm).await.unwrap_err();
    assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec!["managers".to_owned()]));
    let huge = pb::CreateHostsRequest { name: "x".repeat(20 << 20), ..good() };
    assert_eq!(clients.hosts.create(huge).await.unwrap_err().code(), Code::OutOfRange);

    assert_eq!(hosts(&mut clients).await, Vec::<String>::new());
    let operations =
        clients.operations.list(pb::ListOperationsRequest::default()).await.unwrap().into_inner();
    assert_eq!(operations.operations, []);
    coordinator.stop().await;
}

#[tokio::test]
async fn events_go_on_where_a_watch_left_off() {
    let coordinator = Coordinator::start().await;
    let mut clients = coordinator.admin();
    let made = clients.hosts.create(create(mutation("a"), "web", 2)).await.unwrap().into_inner();
    finished(&mut clients, &made.id).await;
    let history = pb::WatchEventsRequest { history: true, no_follow: true, ..Default::default() };
    let all = read_all(&mut clients, history).await;
    assert!(all.iter().any(|event| event.reason == "Failed" && event.subject_name == "web-1"), "{all:?}");
    for (at, event) in all.iter().enumerate() {
        let after_revision = event.revision.clone();
        let rest = pb::WatchEventsRequest { after_revision, no_follow: true, ..Default::default() };
        let rest: Vec<_> =
            read_all(&mut clients, rest).await.into_iter().map(|event| event.revision).collect();
        let expected: Vec<_> = all[at + 1..].iter().map(|event| event.revision.clone()).collect();
        assert_eq!(rest, expected);
    }
    let mut following = clients.events.watch(pb::WatchEventsRequest::default()).await.unwrap().into_inner();
    clients.cluster.put_person(person("otto", PersonRole::Viewer)).await.unwrap();
    assert_eq!(next(&mut following).await.unwrap().unwrap().reason, "PersonPut");
    drop(following);
    coordinator.stop().await;
}

async fn read_all(clients: &mut Clients, request: pb::WatchEventsRequest) -> Vec<pb::Event> {
    let mut stream = clients.events.watch(request).await.unwrap().into_inner();
    let mut events = Vec::new();
    while let Some(event) = next(&mut stream).await {
        events.push(event.unwrap());
    }
    events
}

fn person(name: &str, role: PersonRole) -> pb::PutPersonRequest {
    let role = match role {
        PersonRole::Admin => pb::PersonRole::Admin,
        PersonRole::Operator => pb::PersonRole::Operator,
        PersonRole::Viewer => pb::PersonRole::Viewer,
    };
    pb::PutPersonRequest {
        mutation: mutation(&format!("put {name} {role:?}").replace(' ', "-")),
        name: name.to_owned(),
        role: role.into(),
        dismiss_certificates: false,
    }
}

#[tokio::test]
async fn people_come_with_a_role_and_a_dismissal_ends_what_they_watch() {
    let coordinator = Coordinator::start().await;
    let mut admin = coordinator.admin();
    admin.cluster.put_person(person("vera", PersonRole::Viewer)).await.unwrap();
    let mut vera = coordinator.person(&mut admin, "vera").await;
    assert_eq!(hosts(&mut vera).await, Vec::<String>::new());
    let denied = vera.hosts.create(create(mutation("v"), "web", 1)).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    let mut watch = vera.events.watch(pb::WatchEventsRequest::default()).await.unwrap().into_inner();

    let remove = pb::RemovePersonRequest { mutation: mutation("remove"), name: "vera".to_owned() };
    admin.cluster.remove_person(remove).await.unwrap();
    assert_eq!(next(&mut watch).await.unwrap().unwrap_err().code(), Code::Unauthenticated);
    let denied = vera.hosts.list(pb::ListHostsRequest::default()).await.unwrap_err();
    assert_eq!(denied.code(), Code::Unauthenticated);
    let mut nobody = coordinator.anonymous();
    let denied = nobody.hosts.list(pb::ListHostsRequest::default()).await.unwrap_err();
    assert_eq!(denied.code(), Code::Unauthenticated);

    let audit = admin.events.audit(pb::AuditRequest::default()).await.unwrap().into_inner();
    let methods: Vec<&str> = audit.records.iter().map(|record| record.method.as_str()).collect();
    assert_eq!(methods, ["Cluster/PutPerson", "Cluster/RemovePerson"]);
    drop(watch);
    coordinator.stop().await;
}

#[tokio::test]
async fn a_join_token_admits_one_coordinator_however_often_it_asks() {
    let coordinator = Coordinator::start().await;
    let mut admin = coordinator.admin();
    let ask = pb::CreateJoinTokenRequest { mutation: mutation("token"), life_ms: 0 };
    let token = admin.cluster.create_join_token(ask.clone()).await.unwrap().into_inner().token;
    let repeated = admin.cluster.create_join_token(ask).await.unwrap().into_inner();
    assert_eq!(repeated.token, "", "shown once");

    let token: crate::trust::JoinToken = token.parse().unwrap();
    let request = |key: &skep_tls::Key| pb::JoinRequest {
        token: token.secret.text().reveal().to_owned(),
        address: "127.0.0.1:1".to_owned(),
        raft_address: "127.0.0.1:2".to_owned(),
        control_signing_request: key.signing_request_der().unwrap().into(),
        raft_signing_request: key.signing_request_der().unwrap().into(),
    };
    let mut newcomer = coordinator.pinned(token.root);
    let (key, other) = (skep_tls::Key::generate().unwrap(), skep_tls::Key::generate().unwrap());
    let joined = newcomer.cluster.join(request(&key)).await.unwrap().into_inner();
    let again = newcomer.cluster.join(request(&key)).await.unwrap().into_inner();
    assert_eq!((joined.coordinator_id, again.coordinator_id), (2, 2));
    assert_eq!(joined.cluster_key.len(), 32);
    assert!(joined.control_certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    let used = newcomer.cluster.join(request(&other)).await.unwrap_err();
    assert_eq!(used.code(), Code::PermissionDenied);

    let status = admin.cluster.status(pb::StatusRequest {}).await.unwrap().into_inner();
    assert_eq!((status.coordinator.as_str(), status.leader.as_str()), ("c1", "c1"));
    let ids: Vec<&str> = status.coordinators.iter().map(|coordinator| coordinator.id.as_str()).collect();
    assert_eq!(ids, ["c1", "c2"]);
    coordinator.stop().await;
}

#[tokio::test]
async fn a_coordinator_that_stops_tells_its_watches() {
    let coordinator = Coordinator::start().await;
    let mut clients = coordinator.admin();
    let mut watch = clients.events.watch(pb::WatchEventsRequest::default()).await.unwrap().into_inner();
    coordinator.tell_to_stop();
    assert_eq!(next(&mut watch).await.unwrap().unwrap_err().code(), Code::Unavailable);
    coordinator.stop().await;
}
