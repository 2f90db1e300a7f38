//! Who may do what through the real port, and what the audit trail keeps of it.

use skep_proto::v1 as pb;
use skep_tests::inprocess::{Clients, InProcess, Operator, create, mutation};
use skep_tls::{Certified, Key, Swap, wall_now};
use skep_types::HostId;
use tonic::Code;

use super::{one, three};

/// A few methods: one for each row of the table that differs.
const METHODS: [&str; 4] = ["Status", "List", "Create", "PutPerson"];

async fn call(clients: &Clients, method: &str) -> Code {
    let mut clients = clients.clone();
    let dry = |id: &str| mutation(id).map(|mutation| pb::Mutation { dry_run: true, ..mutation });
    let answer = match method {
        "Status" => clients.cluster.status(pb::StatusRequest {}).await.map(drop),
        "List" => clients.hosts.list(pb::ListHostsRequest::default()).await.map(drop),
        "Create" => {
            let request = pb::CreateHostsRequest { mutation: dry("dry"), ..create("web", 1) };
            clients.hosts.create(request).await.map(drop)
        }
        _ => {
            let role = pb::PersonRole::Viewer.into();
            let request = pb::PutPersonRequest {
                mutation: dry("dry"),
                name: "eve".to_owned(),
                role,
                dismiss_certificates: false,
            };
            clients.cluster.put_person(request).await.map(drop)
        }
    };
    answer.map_or_else(|status| status.code(), |()| Code::Ok)
}

/// The certificate of a host that is there, made here as its agent would get it.
fn agent(cluster: &InProcess, admin: &Operator, host: HostId) -> Operator {
    let key = Key::generate().unwrap();
    let issued = cluster.issuers().unwrap().agent(host, 1, key.public(), wall_now()).unwrap();
    admin.presenting(Swap::new(Certified::new(issued.chain, &key).unwrap()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_may_what_the_table_says() {
    use Code::{Ok as Yes, PermissionDenied as No, Unauthenticated as Who};
    let cluster = one().await;
    let admin = cluster.operator().unwrap();
    cluster.create(create("there", 1)).await.unwrap();
    let host = *cluster.newest().unwrap().hosts.keys().next().unwrap();
    let people = [
        ("admin", admin.clone(), [Yes, Yes, Yes, Yes]),
        ("operator", admin.person("olga", pb::PersonRole::Operator).await.unwrap(), [Yes, Yes, Yes, No]),
        ("viewer", admin.person("vera", pb::PersonRole::Viewer).await.unwrap(), [Yes, Yes, No, No]),
        ("agent", agent(&cluster, &admin, host), [No, No, No, No]),
        ("anonymous", admin.anonymous(), [Who, Who, Who, Who]),
    ];
    for (who, person, wanted) in people {
        let clients = person.at(1).unwrap();
        for (method, wanted) in METHODS.into_iter().zip(wanted) {
            assert_eq!(call(&clients, method).await, wanted, "{who} calls {method}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_person_is_refused_at_once_on_every_coordinator() {
    let cluster = three().await;
    let admin = cluster.operator().unwrap();
    let olga = admin.person("olga", pb::PersonRole::Operator).await.unwrap();
    let clients: Vec<Clients> = cluster.ids().into_iter().map(|id| olga.at(id).unwrap()).collect();
    for clients in &clients {
        assert_eq!(call(clients, "Create").await, Code::Ok);
    }
    let remove = pb::RemovePersonRequest { mutation: mutation("remove-olga"), name: "olga".to_owned() };
    admin.ask(async |c| c.cluster.clone().remove_person(remove.clone()).await).await.unwrap();
    for clients in &clients {
        assert_eq!(call(clients, "Create").await, Code::Unauthenticated);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_trail_has_what_was_done_and_what_was_refused() {
    let cluster = one().await;
    let admin = cluster.operator().unwrap();
    cluster.create(create("web", 2)).await.unwrap();
    let doubled = pb::CreateHostsRequest { mutation: mutation("doubled"), ..create("web", 2) };
    let refused = admin.ask(async |c| c.hosts.clone().create(doubled.clone()).await).await.unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists);
    let asked = pb::AuditRequest::default();
    let trail = admin.ask(async |c| c.events.clone().audit(asked.clone()).await).await.unwrap().records;
    let of = |id: &str| trail.iter().find(|record| record.request_id == id).unwrap();
    let (done, refused) = (of("create-web"), of("doubled"));
    assert_eq!((done.actor.as_str(), done.verdict.as_str()), ("admin", "accepted"));
    assert!(done.method.ends_with("Hosts/Create") && done.peer.starts_with("127.0.0.1:"), "{done:?}");
    assert_ne!(refused.verdict, "accepted");
    assert_eq!(refused.body_sha256.len(), 64);
}
