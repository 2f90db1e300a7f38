//! What people may ask, field by field, and what they are shown.

use std::collections::BTreeMap;

use skep_proto::v1 as pb;
use skep_types::{Code, ConditionStatus, NodeRole, Phase, Refusal, limits};

use super::mutation::{Mutation, body_digest};
use super::{cluster, driver, event, host, operation, requests, swarm};
use crate::api::fixture::{self, Lab, fields};

fn template() -> pb::Template {
    super::template::write(&fixture::template())
}

fn hosts() -> pb::CreateHostsRequest {
    pb::CreateHostsRequest {
        template: Some(template()),
        name: "web".to_owned(),
        count: 3,
        ..pb::CreateHostsRequest::default()
    }
}

fn new_swarm() -> pb::CreateSwarmRequest {
    pb::CreateSwarmRequest {
        template: Some(template()),
        name: "demo".to_owned(),
        managers: 3,
        workers: 2,
        ..pb::CreateSwarmRequest::default()
    }
}

/// The field that is refused, a part of the hint, and how a good request is spoilt.
type Case<R> = (&'static str, &'static str, fn(&mut R));

/// Refused as invalid, naming just this field, with a hint that holds these words.
fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>, field: &str, hint: &str) {
    let refusal = result.unwrap_err();
    assert_eq!(refusal.code, Code::Invalid, "{refusal}");
    assert_eq!(fields(&refusal), [field], "{refusal}");
    assert!(refusal.violations[0].description.contains(hint), "{refusal}");
}

#[test]
fn good_requests_keep_what_they_say() {
    let create = requests::create_hosts(pb::CreateHostsRequest { max_failures: 2, ..hosts() }).unwrap();
    assert_eq!((create.name.as_str(), create.count, create.max_failures), ("web", 3, Some(2)));
    assert_eq!(*create.shares[0].template, fixture::template());
    let create = requests::create_swarm(new_swarm()).unwrap();
    assert_eq!((create.name.as_str(), create.managers, create.workers), ("demo", 3, 2));
}

#[test]
fn a_spread_stands_for_the_template_and_names_each_share() {
    let share = |driver: &str| pb::Share {
        template: Some(pb::Template { driver: driver.to_owned(), ..template() }),
        weight: 2,
        max: 5,
    };
    let spread = vec![share("lab"), share("sim")];
    let create =
        requests::create_hosts(pb::CreateHostsRequest { template: None, spread, ..hosts() }).unwrap();
    let shares: Vec<_> =
        create.shares.iter().map(|s| (s.template.driver.as_str(), s.weight, s.max)).collect();
    assert_eq!(shares, [("lab", 2, Some(5)), ("sim", 2, Some(5))]);

    let spread = vec![share("lab"), pb::Share { weight: 1_001, ..share("No") }];
    let refusal = requests::create_hosts(pb::CreateHostsRequest { spread, ..hosts() }).unwrap_err();
    assert_eq!(fields(&refusal), ["template", "spread.1.weight", "spread.1.template.driver"], "{refusal}");
}

#[test]
fn bad_host_requests_are_refused_by_field() {
    let cases: &[Case<pb::CreateHostsRequest>] = &[
        ("count", "ask for 1 to 100000", |r| r.count = 0),
        ("count", "ask for 1 to 100000", |r| r.count = 100_001),
        ("name", "is not a DNS label", |r| r.name = "Web_1".to_owned()),
        ("name", "is not a DNS label", |r| r.name = String::new()),
        ("name", "leaves no room", |r| r.name = "x".repeat(62)),
        ("min_count", "more than the count 3", |r| r.min_count = 4),
        ("min_count", "BEST_EFFORT only", |r| {
            r.min_count = 2;
            r.policy = pb::Policy::AllOrNothing.into();
        }),
        ("policy", "does not know", |r| r.policy = 9),
        ("on_failure", "does not know", |r| r.on_failure = 9),
        ("template", "is missing", |r| r.template = None),
        ("template.driver", "is missing", |r| {
            r.template = Some(pb::Template { driver: String::new(), account: String::new(), ..template() });
        }),
        ("template.account", "is not a DNS label", |r| {
            r.template = Some(pb::Template { account: "A!".to_owned(), ..template() });
        }),
    ];
    for (field, hint, spoil) in cases {
        let mut request = hosts();
        spoil(&mut request);
        refused(requests::create_hosts(request), field, hint);
    }
}

#[test]
fn templates_are_bounded() {
    let labelled = |labels: BTreeMap<String, String>| {
        let template = Some(pb::Template { labels, ..template() });
        requests::create_hosts(pb::CreateHostsRequest { template, ..hosts() })
    };
    let label = |key: &str, value: &str| labelled(BTreeMap::from([(key.to_owned(), value.to_owned())]));
    assert!(label("tier", "").is_ok());
    refused(label("skep-host", "x"), "template.labels.skep-host", "skep's own");
    refused(label("a=b", "x"), "template.labels.a=b", "without '='");
    refused(label("tier", &"x".repeat(257)), "template.labels.tier", "256 bytes");
    refused(label("tier", "a\nb"), "template.labels.tier", "control characters");
    let many = |count: usize| (0..count).map(|n| (format!("k{n}"), String::new())).collect();
    assert!(labelled(many(64)).is_ok());
    refused(labelled(many(65)), "template.labels", "at most 64");

    let optioned = |options| {
        let template = Some(pb::Template { options, ..template() });
        requests::create_hosts(pb::CreateHostsRequest { template, ..hosts() })
    };
    refused(optioned(many(65)), "template.options", "at most 64");
    let long = "x".repeat(limits::OPTION_BYTES + 1);
    refused(optioned(BTreeMap::from([("o".to_owned(), long)])), "template.options.o", "4096 bytes");
}

#[test]
fn everything_wrong_is_told_at_once() {
    let request = pb::CreateHostsRequest { name: "A".to_owned(), count: 0, template: None, ..hosts() };
    let refusal = requests::create_hosts(request).unwrap_err();
    assert_eq!(fields(&refusal), ["template", "name", "count"]);
}

#[test]
fn bad_swarm_requests_are_refused_by_field() {
    let cases: &[Case<pb::CreateSwarmRequest>] = &[
        ("managers", "ask for 1, 3, 5 or 7", |r| r.managers = 2),
        ("managers", "ask for 1, 3, 5 or 7", |r| r.managers = 0),
        ("managers", "ask for 1, 3, 5 or 7", |r| r.managers = 9),
        ("workers", "at most 99997", |r| r.workers = 99_998),
        ("name", "is not a DNS label", |r| r.name = "-demo".to_owned()),
        ("name", "at most 53 characters", |r| r.name = "x".repeat(54)),
    ];
    for (field, hint, spoil) in cases {
        let mut request = new_swarm();
        spoil(&mut request);
        refused(requests::create_swarm(request), field, hint);
    }
}

#[test]
fn other_bad_requests_are_refused_by_field() {
    refused(requests::named_hosts(&[]), "hosts", "at least one");
    refused(requests::named_hosts(&vec!["h".to_owned(); 10_001]), "hosts", "at most 10000");
    refused(requests::power_action(0), "action", "use START");
    refused(requests::power_action(7), "action", "does not know");
    let person =
        |name: &str, role| pb::PutPersonRequest { name: name.to_owned(), role, ..Default::default() };
    refused(requests::put_person(&person("Ada", 1)), "name", "DNS label");
    refused(requests::put_person(&person("ada", 0)), "role", "is missing");
    refused(requests::join_token_life(59_999), "life_ms", "1 minute to 24 hours");
    refused(requests::join_token_life(86_400_001), "life_ms", "1 minute to 24 hours");
    refused(requests::coordinator("2"), "coordinator", "written like c2");
    assert_eq!(requests::coordinator("c2").unwrap().0, 2);
}

#[test]
fn a_join_names_all_that_is_wrong_with_it() {
    let refusal = requests::join(pb::JoinRequest::default()).unwrap_err();
    let all = ["token", "address", "raft_address", "control_signing_request", "raft_signing_request"];
    assert_eq!(fields(&refusal), all);
    let key = skep_tls::Key::generate().unwrap().signing_request_der().unwrap();
    let token = crate::trust::Token::generate().unwrap();
    let good = |address: &str| pb::JoinRequest {
        token: token.text().reveal().to_owned(),
        address: address.to_owned(),
        raft_address: "c2.example.com:7401".to_owned(),
        control_signing_request: key.clone().into(),
        raft_signing_request: key.clone().into(),
    };
    for address in ["10.0.0.2:7400", "[fd00::2]:7400", "c2:1"] {
        assert!(requests::join(good(address)).is_ok(), "{address}");
    }
    for address in ["10.0.0.2", "c2:0", "c2:70000", ":7400", "[fd00::2:7400", "a b:1", "user@c2:1"] {
        refused(requests::join(good(address)), "address", "is not HOST:PORT");
    }
}

#[test]
fn a_request_id_is_required_and_the_rest_is_optional() {
    let read = |id: &str, revision: &str| {
        let (request_id, if_revision) = (id.to_owned(), revision.to_owned());
        Mutation::read(Some(pb::Mutation { request_id, if_revision, dry_run: false }))
    };
    refused(Mutation::read(None), "mutation.request_id", "UUID");
    refused(read("two words", ""), "mutation.request_id", "without spaces");
    refused(read(&"x".repeat(129), ""), "mutation.request_id", "1 to 128");
    refused(read("a", "42"), "mutation.if_revision", "r1-42");
    assert_eq!(read("a", "r1-42").unwrap().if_revision.unwrap().to_string(), "r1-42");
}

/// Equal requests have equal digests in any process, so maps must be encoded in one order.
#[test]
fn a_body_has_one_digest_and_another_body_another() {
    let keys: Vec<String> = (0..20).map(|n| format!("k{n}")).collect();
    let request = |keys: &[String]| {
        let options = keys.iter().map(|key| (key.clone(), String::new())).collect();
        pb::CreateHostsRequest { template: Some(pb::Template { options, ..template() }), ..hosts() }
    };
    let backwards: Vec<String> = keys.iter().rev().cloned().collect();
    let digest = body_digest("Hosts/Create", &request(&keys));
    assert_eq!(digest, body_digest("Hosts/Create", &request(&backwards)));
    assert_ne!(digest, body_digest("Hosts/Create", &request(&keys[1..])));
    assert_ne!(digest, body_digest("Swarms/Create", &request(&keys)));
}

#[test]
fn a_ready_host_is_shown_with_its_swarm_and_instance() {
    let mut lab = Lab::new();
    let made_by = lab.swarm("demo", 1, 0);
    lab.ready("demo-manager-1");
    let now = lab.state.time.after(std::time::Duration::from_secs(5));
    let shown = host::write(lab.host("demo-manager-1"), &lab.state, now);
    assert_eq!((shown.phase.as_str(), shown.swarm.as_str()), ("Ready", "demo"));
    assert_eq!(shown.role(), pb::NodeRole::Manager);
    assert_eq!(shown.node_id, "node-demo-manager-1");
    assert_eq!(shown.operation, made_by.to_string());
    assert_eq!(shown.age_ms, 5_000);
    assert!(shown.private_address.starts_with("10.1.0."));
    assert_eq!(shown.public_address, "");
    assert_eq!(shown.conditions[0].kind, "AgentConnected");
    assert_eq!(shown.conditions[0].status(), pb::ConditionStatus::True);
}

#[test]
fn a_failed_host_says_what_failed_and_an_unheard_one_shows_no_coordinator() {
    let mut lab = Lab::new();
    lab.hosts("h", 1);
    lab.ready("h");
    let now = lab.state.time;
    lab.set("h", |host| {
        host.phase = Phase::Failed { class: skep_types::FailureClass::Boot, message: "no call".to_owned() };
        let kind = skep_types::ConditionKind::AgentConnected;
        host.conditions.set(kind, ConditionStatus::False, "Silent", "", now);
    });
    let shown = host::write(lab.host("h"), &lab.state, now);
    assert_eq!((shown.phase.as_str(), shown.phase_message.as_str()), ("Failed", "boot: no call"));
    assert_eq!(shown.coordinator, "");
}

#[test]
fn an_operation_counts_its_hosts_by_phase() {
    let mut lab = Lab::new();
    let id = lab.hosts("web", 3);
    lab.set("web-1", |host| host.phase = Phase::Booting);
    let shown = operation::write(&lab.state.operations[&id], &lab.state, lab.state.time);
    assert_eq!(shown.phases, [("Booting".to_owned(), 1), ("Pending".to_owned(), 2)].into());
    assert_eq!((shown.items, shown.state.as_str(), shown.took_ms), (3, "Running", 0));
    assert_eq!((shown.kind.as_str(), shown.actor.as_str()), ("create-hosts", "ada"));
}

#[test]
fn a_swarm_is_forming_then_ready_then_degraded_then_deleting() {
    let mut lab = Lab::new();
    let made_by = lab.swarm("demo", 1, 1);
    let show = |lab: &Lab| swarm::write(lab.state.find_swarm("demo").unwrap(), &lab.state, lab.state.time);
    assert_eq!(show(&lab).state, "Forming");
    lab.ready("demo-manager-1");
    lab.ready("demo-worker-1");
    lab.set_swarm("demo", |swarm| {
        swarm.nodes.insert("node-demo-manager-1".parse().unwrap(), fixture::node(NodeRole::Manager, true));
        swarm.nodes.insert("node-demo-worker-1".parse().unwrap(), fixture::node(NodeRole::Worker, false));
        swarm.nodes.insert("node-of-others".parse().unwrap(), fixture::node(NodeRole::Worker, false));
    });
    let shown = show(&lab);
    assert_eq!((shown.state.as_str(), shown.managers_ready, shown.workers_ready), ("Ready", 1, 1));
    assert_eq!(shown.foreign_nodes, ["node-of-others"]);
    assert_eq!(shown.leader, "demo-manager-1");

    lab.state.operations.remove(&made_by);
    lab.set("demo-worker-1", |host| host.phase = Phase::Stopped);
    assert_eq!(show(&lab).state, "Degraded");
    lab.set_swarm("demo", |swarm| swarm.absent = true);
    assert_eq!(show(&lab).state, "Deleting");
}

#[test]
fn drivers_people_and_the_audit_trail_are_shown() {
    let mut lab = Lab::new();
    lab.hosts("h", 1);
    let drivers = driver::list(&lab.state);
    assert_eq!(drivers.len(), 1);
    assert_eq!((drivers[0].name.as_str(), drivers[0].idempotency.as_str()), ("lab", "unique-name"));
    assert_eq!(drivers[0].coordinators, ["c1"]);
    assert_eq!(drivers[0].accounts[0].name, "lab");
    assert_eq!(drivers[0].flags[0].kind, "integer");

    let people: Vec<pb::Person> = lab.state.people.values().map(|person| cluster::person(person)).collect();
    assert_eq!((people[0].name.as_str(), people[0].role()), ("ada", pb::PersonRole::Admin));

    let record = event::audit(&lab.state.audit[0], lab.state.time);
    assert_eq!((record.actor.as_str(), record.verdict.as_str()), ("ada", "accepted"));
    assert_eq!(record.body_sha256.len(), 64);
}
