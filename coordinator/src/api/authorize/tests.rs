//! The role table through the layer: every method of the control port, by every kind of caller.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use prost::Message;
use prost_types::FileDescriptorSet;
use skep_core::command::Request as Asked;
use skep_core::state::Enrolment;
use skep_tls::{Key, WallTime};
use skep_types::{CoordinatorId, Digest, PersonRole};
use tower::ServiceExt;

use super::*;
use crate::api::fixture::{ADMIN, Lab};
use crate::trust::{ClusterKey, Issued, Issuers};

#[derive(Debug, Clone)]
struct Fixed {
    local: State,
    newest: State,
}

#[async_trait]
impl LiveState for Fixed {
    fn local(&self) -> State {
        self.local.clone()
    }

    async fn newest(&self) -> Result<State, Refusal> {
        Ok(self.newest.clone())
    }
}

fn cluster() -> ClusterId {
    "lab-cluster".parse().unwrap()
}

fn issuers(cluster: &ClusterId) -> Issuers {
    let sealer = ClusterKey::generate().unwrap().sealer(cluster).unwrap();
    let sealed = Issuers::create(&sealer, cluster, wall_now()).unwrap();
    Issuers::open(&sealer, cluster, &sealed).unwrap()
}

fn peer(issued: Option<Issued>) -> PeerCertificates {
    let chain = issued.map(|issued| Arc::new(issued.chain));
    PeerCertificates { address: "127.0.0.1:4711".parse().unwrap(), dialled: false, chain }
}

/// A living host `h`, people of each role, and the certificates of everybody who might call.
struct Callers {
    lab: Lab,
    agent: Key,
    issuers: Issuers,
}

impl Callers {
    fn new() -> Self {
        let mut lab = Lab::new();
        lab.person("otto", PersonRole::Operator);
        lab.person("vera", PersonRole::Viewer);
        lab.hosts("h", 1);
        lab.ready("h");
        let agent = Key::generate().unwrap();
        let key = Some(agent.public_key_digest());
        lab.set("h", |host| {
            host.enrolment = Some(Enrolment { token: Digest([0; 32]), key, expires_at: None });
        });
        Self { lab, agent, issuers: issuers(&cluster()) }
    }

    fn person(&self, name: &str, generation: u64) -> PeerCertificates {
        self.person_at(name, generation, wall_now())
    }

    fn person_at(&self, name: &str, generation: u64, at: WallTime) -> PeerCertificates {
        let key = Key::generate().unwrap();
        peer(Some(self.issuers.person(&name.parse().unwrap(), generation, key.public(), at).unwrap()))
    }

    fn agent(&self, incarnation: u32, at: WallTime) -> PeerCertificates {
        let id = self.lab.host("h").id;
        peer(Some(self.issuers.agent(id, incarnation, self.agent.public(), at).unwrap()))
    }

    fn layer(&self) -> Authorize<Fixed> {
        let live = Fixed { local: self.lab.state.clone(), newest: self.lab.state.clone() };
        Authorize::new(cluster(), live)
    }
}

/// Long enough ago for every certificate to have expired.
fn long_ago() -> WallTime {
    WallTime(1_000_000_000)
}

/// Every method of the control port.
fn methods() -> BTreeSet<String> {
    let sets = [
        skep_proto::DESCRIPTORS,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ];
    let files = sets.iter().flat_map(|set| FileDescriptorSet::decode(*set).unwrap().file);
    let mut methods = BTreeSet::new();
    for file in
        files.filter(|file| !["skep.raft.v1", "skep.driver.v1", "skep.store.v1"].contains(&file.package()))
    {
        for service in &file.service {
            for method in &service.method {
                methods.insert(format!("/{}.{}/{}", file.package(), service.name(), method.name()));
            }
        }
    }
    methods
}

/// Whether the service behind the layer was reached, and with which actor.
async fn call(
    layer: &Authorize<Fixed>,
    path: &str,
    peer: &PeerCertificates,
) -> Result<Option<Actor>, tonic::Code> {
    let inner = tower::service_fn(|request: http::Request<()>| async move {
        let actor = request.extensions().get::<Actor>().cloned();
        let mut response = http::Response::new(String::new());
        response.extensions_mut().insert(Served(actor));
        Ok::<_, Infallible>(response)
    });
    let mut request = http::Request::builder().uri(path).body(()).unwrap();
    request.extensions_mut().insert(peer.clone());
    let response = layer.layer(inner).oneshot(request).await.unwrap();
    match response.extensions().get::<Served>() {
        Some(Served(actor)) => Ok(actor.clone()),
        None => Err(tonic::Status::from_header_map(response.headers()).unwrap().code()),
    }
}

#[derive(Debug, Clone)]
struct Served(Option<Actor>);

#[tokio::test]
async fn each_role_may_call_what_the_table_says_and_nothing_else() {
    let callers = Callers::new();
    let layer = callers.layer();
    let people = [("otto", PersonRole::Operator), ("vera", PersonRole::Viewer), (ADMIN, PersonRole::Admin)];
    let methods = methods();
    assert!(methods.len() > 25, "the descriptors were not read");
    for (name, role) in people {
        let peer = callers.person(name, u64::MAX);
        for path in &methods {
            let expected = match access(path).unwrap() {
                Access::Anonymous => true,
                Access::Person(needed) => role.includes(needed),
                Access::Agent | Access::ExpiredAgent => false,
            };
            let called = call(&layer, path, &peer).await;
            assert_eq!(called.is_ok(), expected, "{name} at {path}: {called:?}");
        }
    }
}

#[tokio::test]
async fn an_agent_may_call_the_agents_services_and_no_other() {
    let callers = Callers::new();
    let layer = callers.layer();
    let (current, expired) = (callers.agent(1, wall_now()), callers.agent(1, long_ago()));
    for path in &methods() {
        let access = access(path).unwrap();
        let anonymous = access == Access::Anonymous;
        let renewing = access == Access::ExpiredAgent;
        let agents = renewing || access == Access::Agent;
        assert_eq!(call(&layer, path, &current).await.is_ok(), anonymous || agents, "{path}");
        assert_eq!(call(&layer, path, &expired).await.is_ok(), anonymous || renewing, "{path}, expired");
    }
}

/// Those who may call nothing but what is open to everybody.
#[tokio::test]
async fn nobody_else_may_call_anything() {
    let callers = Callers::new();
    let layer = callers.layer();
    let theirs = issuers(&"another-cluster".parse().unwrap());
    let key = Key::generate().unwrap();
    let host = callers.lab.host("h").id;
    let outsiders = [
        ("anonymous", peer(None)),
        ("an unknown person", callers.person("eve", u64::MAX)),
        ("a dismissed person", callers.person("otto", 0)),
        ("an expired person", callers.person_at(ADMIN, u64::MAX, long_ago())),
        ("an admin of another cluster", {
            peer(Some(theirs.person(&ADMIN.parse().unwrap(), u64::MAX, key.public(), wall_now()).unwrap()))
        }),
        ("an agent of another cluster", {
            peer(Some(theirs.agent(host, 1, callers.agent.public(), wall_now()).unwrap()))
        }),
        ("an agent of an earlier incarnation", callers.agent(0, wall_now())),
        ("an agent with another key", {
            peer(Some(callers.issuers.agent(host, 1, key.public(), wall_now()).unwrap()))
        }),
        ("a coordinator", {
            let id = CoordinatorId(1);
            peer(Some(callers.issuers.coordinator_control(id, &[], key.public(), wall_now()).unwrap()))
        }),
        ("a Docker client", {
            peer(Some(
                callers.issuers.docker_client(&ADMIN.parse().unwrap(), key.public(), wall_now()).unwrap(),
            ))
        }),
    ];
    for (who, peer) in &outsiders {
        // Wherever a coordinator found them.
        for dialled in [false, true] {
            let peer = PeerCertificates { dialled, ..peer.clone() };
            for path in &methods() {
                let expected = access(path) == Some(Access::Anonymous);
                let called = call(&layer, path, &peer).await;
                assert_eq!(called.is_ok(), expected, "{who} at {path}, dialled {dialled}: {called:?}");
            }
        }
    }
}

/// Another host's agent may have come to have the address: what it says is its own host's, never the one's that was
/// dialled.
#[tokio::test]
async fn an_agent_is_whom_its_certificate_names_wherever_it_was_dialled() {
    let mut callers = Callers::new();
    callers.lab.hosts("other", 1);
    callers.lab.ready("other");
    let agent = Key::generate().unwrap();
    let key = Some(agent.public_key_digest());
    callers.lab.set("other", |host| {
        host.enrolment = Some(Enrolment { token: Digest([0; 32]), key, expires_at: None });
    });
    let other = callers.lab.host("other").id;
    let address = callers.lab.host("h").instance.as_ref().and_then(|instance| instance.private_address);
    let certified = peer(Some(callers.issuers.agent(other, 1, agent.public(), wall_now()).unwrap()));
    let peer =
        PeerCertificates { address: (address.unwrap(), 2376).into(), dialled: true, chain: certified.chain };
    let (caller, _) = callers.layer().admit("/skep.agent.v1.Session/Open", Some(&peer)).await.unwrap();
    assert!(matches!(caller, Caller::Host { id, .. } if id == other), "{caller:?}");
}

#[tokio::test]
async fn a_deleted_hosts_agent_is_turned_away() {
    let mut callers = Callers::new();
    let agent = callers.agent(1, wall_now());
    let host = callers.lab.host("h").id;
    callers.lab.state.hosts.remove(&host);
    let called = call(&callers.layer(), "/skep.agent.v1.Session/Open", &agent).await;
    assert_eq!(called, Err(tonic::Code::Unauthenticated));
}

#[tokio::test]
async fn what_has_no_row_is_open_to_nobody() {
    let callers = Callers::new();
    let admin = callers.person(ADMIN, u64::MAX);
    for path in [
        "/skep.v1.Hosts/Drop",
        "/skep.raft.v1.Raft/Append",
        "/",
        "/skep.v1.Hosts/List/",
        "//skep.v1.Hosts/List",
    ] {
        assert_eq!(call(&callers.layer(), path, &admin).await, Err(tonic::Code::PermissionDenied), "{path}");
    }
}

#[tokio::test]
async fn a_coordinator_that_is_behind_asks_before_it_refuses() {
    let mut callers = Callers::new();
    let local = callers.lab.state.clone();
    callers.lab.person("nora", PersonRole::Viewer);
    let layer = Authorize::new(cluster(), Fixed { local, newest: callers.lab.state.clone() });
    let nora = callers.person("nora", u64::MAX);
    assert!(call(&layer, "/skep.v1.Hosts/List", &nora).await.is_ok());
    assert_eq!(call(&layer, "/skep.v1.Hosts/Create", &nora).await, Err(tonic::Code::PermissionDenied));
}

#[tokio::test]
async fn the_actor_says_who_from_where_and_what_and_notices_a_dismissal() {
    let mut callers = Callers::new();
    let otto = callers.person("otto", 1_000);
    let actor = call(&callers.layer(), "/skep.v1.Hosts/Create", &otto).await.unwrap().unwrap();
    assert_eq!((actor.name.as_str(), actor.generation, actor.method()), ("otto", 1_000, "Hosts/Create"));
    assert_eq!(actor.peer.to_string(), "127.0.0.1:4711");
    assert_eq!(actor.still_admitted(&callers.lab.state), Ok(()));

    callers.lab.person("otto", PersonRole::Viewer);
    assert_eq!(actor.still_admitted(&callers.lab.state).unwrap_err().code, Code::Forbidden);
    callers.lab.ask(Asked::RemovePerson { name: "otto".parse().unwrap() });
    assert_eq!(actor.still_admitted(&callers.lab.state).unwrap_err().code, Code::Unauthenticated);
}
