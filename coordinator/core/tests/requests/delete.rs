//! Deletes.

use std::time::Duration;

use skep_core::command::{Reply, Request};
use skep_types::{Code, HostId, OperationState, Revision, SwarmId};

use super::{code, field, refused};
use crate::support::place::{lone, settled_swarm, swarm};
use crate::support::{Cluster, DriverSpec, Faults, Fleet, create_hosts, request};

fn delete(hosts: Vec<HostId>) -> Request {
    Request::DeleteHosts { hosts, force: false }
}

#[test]
fn refusals() {
    let mut cluster = lone();
    let web = cluster.id("web");
    assert_eq!(field(&mut cluster, delete(vec![])), "hosts");
    assert_eq!(field(&mut cluster, delete(vec![web, web])), "hosts");
    assert_eq!(code(&mut cluster, delete(vec![HostId::new(1, 99)])), Code::NotFound);
    assert_eq!(code(&mut cluster, Request::DeleteSwarm { swarm: SwarmId::new(1, 99) }), Code::NotFound);
}

#[test]
fn the_last_manager_goes_with_its_swarm_or_by_force() {
    let mut cluster = settled_swarm(1, 2);
    let hosts = vec![cluster.id("s-manager-1")];
    let refusal = refused(&mut cluster, delete(hosts.clone()));
    assert_eq!(refusal.code, Code::Precondition);
    assert_eq!(refusal.violations[0].field, "hosts");
    let all: Vec<HostId> = cluster.state.hosts.keys().copied().collect();
    cluster.clone().accepted(request("all", delete(all)));
    cluster.accepted(request("force", Request::DeleteHosts { hosts, force: true }));
}

/// Not with one request, and not with two.
#[test]
fn nor_do_the_last_managers_go_one_by_one() {
    let mut cluster = settled_swarm(3, 1);
    let hosts = vec![cluster.id("s-manager-1"), cluster.id("s-manager-2")];
    cluster.accepted(request("two", delete(hosts)));
    let last = vec![cluster.id("s-manager-3")];
    assert_eq!(code(&mut cluster, delete(last)), Code::Precondition);
}

/// Only by force, and only a machine that was there before its host, or one that its driver cannot find again.
#[test]
fn what_never_answers_is_forgotten_by_force() {
    let (unique, none) = (DriverSpec::UNIQUE, DriverSpec::NONE);
    let passing = Faults { throttle: 100, ..Faults::default() };
    let refused = Faults { refused: 100, ..Faults::default() };
    let agent = Some("forgotten, with the agent left");
    let cases = [
        (unique, true, true, passing, agent),
        (none, true, true, passing, agent),
        (none, false, true, refused, Some("forgotten, with whatever its provider still has")),
        (none, false, true, passing, None),
        (unique, true, false, passing, None),
        (none, false, false, refused, None),
        (unique, false, true, refused, None),
    ];
    for (spec, adopts, force, faults, left) in cases {
        let mut fleet = Fleet::new(spec, Faults::default(), 1);
        fleet.cluster.accepted(request("create", Request::CreateHosts(create_hosts("web", 1))));
        fleet.rest();
        let mut account = (*fleet.cluster.state.accounts.values().next().cloned().unwrap()).clone();
        account.driver.adopts = adopts;
        fleet.cluster.state.accounts.insert(account.name.clone(), account.into());
        fleet.faults = faults;
        let delete = Request::DeleteHosts { hosts: vec![fleet.cluster.id("web")], force };
        let operation = fleet.cluster.accepted(request("delete", delete));
        fleet.rounds(200);
        let operation = fleet.cluster.operation(operation).clone();
        assert_eq!(fleet.cluster.state.hosts.is_empty(), left.is_some(), "adopts {adopts}, force {force}");
        if let Some(left) = left {
            assert_eq!(operation.state, OperationState::Failed);
            assert!(operation.failures[0].reason.starts_with(left), "{operation:?}");
            let event = |reason: &str| fleet.cluster.state.events.iter().any(|event| event.reason == reason);
            assert!(event("Forgotten"));
        } else {
            assert_eq!(operation.state, OperationState::Running);
        }
    }
}

/// As EC2 forgets what ended an hour ago. Before the settle window is over, it may only not show it yet.
#[test]
fn what_its_provider_knows_nothing_of_is_gone_after_the_settle_window() {
    let (soon, never) = (Duration::from_secs(1), Duration::MAX);
    for (spec, settle, gone) in [
        (DriverSpec::TOKEN, soon, true),
        (DriverSpec::UNIQUE, soon, true),
        (DriverSpec::TOKEN, never, false),
        // It may have lost what it would find its instance by.
        (DriverSpec::NONE, soon, false),
    ] {
        let mut fleet = Fleet::new(spec, Faults::default(), 1);
        fleet.cluster.accepted(request("create", Request::CreateHosts(create_hosts("web", 1))));
        fleet.rest();
        let mut account = (*fleet.cluster.state.accounts.values().next().cloned().unwrap()).clone();
        account.driver.settle = settle;
        fleet.cluster.state.accounts.insert(account.name.clone(), account.into());
        fleet.cloud.machines.clear();
        fleet.faults = Faults { forgotten: 100, ..Faults::default() };
        let web = vec![fleet.cluster.id("web")];
        let operation = fleet.cluster.accepted(request("delete", delete(web)));
        fleet.rounds(50);
        let state = fleet.cluster.operation(operation).state;
        assert_eq!(fleet.cluster.state.hosts.is_empty(), gone, "{:?}, settle {settle:?}", spec.idempotency);
        assert_eq!(state == OperationState::Succeeded, gone, "{state:?}");
    }
}

#[test]
fn if_revision_guards_what_was_read() {
    let mut cluster = lone();
    let host = cluster.host("web").clone();
    let mut command = request("guarded", delete(vec![host.id]));
    command.meta.if_revision = Some(Revision::new(0, 0));
    let Reply::Refused(refusal) = cluster.request(command.clone()) else { panic!("accepted") };
    assert_eq!(
        (refusal.code, refusal.violations[0].field.as_str()),
        (Code::Conflict, "mutation.if_revision")
    );
    command.meta.if_revision = Some(host.revision);
    cluster.accepted(command);
}

/// The one before counts it as failed, once.
#[test]
fn a_delete_takes_a_host_over_from_its_create() {
    let mut cluster = swarm(1, 1);
    let create = *cluster.state.operations.keys().next().unwrap();
    let worker = cluster.id("s-worker-1");
    let delete = cluster.accepted(request("delete", delete(vec![worker])));
    assert_eq!(cluster.operation(create).failed, 1);
    assert_eq!(cluster.operation(create).failures[0].reason, "taken over by a later request");
    assert_eq!(cluster.operation(delete).items, 1);
    assert!(cluster.host("s-worker-1").desired.absent);
}

#[test]
fn deleting_an_empty_swarm_is_done_at_once() {
    let mut cluster = settled_swarm(1, 0);
    let swarm = cluster.swarm().id;
    let mut state = cluster.state.clone();
    state.hosts.clear();
    cluster = Cluster { state: state.reindexed(), ..cluster };
    let delete = cluster.accepted(request("delete", Request::DeleteSwarm { swarm }));
    assert!(cluster.operation(delete).state.finished());
}
