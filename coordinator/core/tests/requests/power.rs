//! Start, stop, restart and kill.

use skep_core::command::{FailureKind, Request};
use skep_types::{Code, FailureClass, OperationState, Phase, PowerAction, PowerActions};

use super::code;
use crate::support::place::{bound, lone};
use crate::support::{Cluster, DriverSpec, Faults, Fleet, create_hosts, request};

fn power(cluster: &Cluster, action: PowerAction) -> Request {
    Request::PowerHosts { hosts: vec![cluster.id("web")], action }
}

fn fleet(faults: Faults, seed: u64) -> Fleet {
    let mut fleet = Fleet::new(DriverSpec::TOKEN, Faults::default(), seed);
    fleet.cluster.accepted(request("create", Request::CreateHosts(create_hosts("web", 1))));
    fleet.rest();
    fleet.faults = faults;
    fleet
}

#[test]
fn only_a_host_at_rest_has_its_power_changed() {
    let failed = Phase::Failed { class: FailureClass::Boot, message: String::new() };
    for phase in [Phase::Pending, Phase::Booting, Phase::Installing, Phase::Joining, Phase::Leaving, failed] {
        let mut cluster = lone();
        cluster.with_host("web", |host| bound(host, phase));
        let stop = power(&cluster, PowerAction::Stop);
        assert_eq!(code(&mut cluster, stop), Code::Precondition);
    }
    let mut cluster = lone();
    cluster.with_host("web", |host| {
        bound(host, Phase::Ready);
        host.desired.absent = true;
    });
    let stop = power(&cluster, PowerAction::Stop);
    assert_eq!(code(&mut cluster, stop), Code::Precondition);
}

#[test]
fn a_driver_is_asked_only_for_what_it_has() {
    let mut cluster = lone();
    cluster.with_host("web", |host| bound(host, Phase::Ready));
    let mut account = (*cluster.state.accounts.values().next().cloned().unwrap()).clone();
    account.driver.power = PowerActions::Restart;
    cluster.state.accounts.insert(account.name.clone(), account.into());
    let stop = power(&cluster, PowerAction::Stop);
    assert_eq!(code(&mut cluster, stop), Code::Precondition);
    let restart = power(&cluster, PowerAction::Restart);
    cluster.accepted(request("restart", restart));
}

#[test]
fn each_verb_ends_where_it_should_whatever_goes_wrong() {
    let table = [
        (PowerAction::Stop, "Stopped", 1),
        (PowerAction::Start, "Ready", 2),
        (PowerAction::Restart, "Ready", 3),
        (PowerAction::Kill, "Stopped", 3),
        (PowerAction::Kill, "Stopped", 3),
        (PowerAction::Restart, "Ready", 4),
    ];
    for seed in 0..60 {
        let mut fleet = fleet(Faults::PASSING, seed);
        for (at, (action, phase, boots)) in table.into_iter().enumerate() {
            let what = power(&fleet.cluster, action);
            let operation = fleet.cluster.accepted(request(&format!("power-{at}"), what));
            fleet.faults = Faults::PASSING;
            fleet.rounds(10);
            fleet.rest();
            let machine = fleet.cloud.machines.values().next().unwrap();
            assert_eq!(fleet.cluster.host("web").phase.label(), phase, "seed {seed}, {action:?}");
            assert_eq!(
                fleet.cluster.operation(operation).state,
                OperationState::Succeeded,
                "seed {seed}, {action:?}"
            );
            assert!(
                machine.boots >= boots && machine.running == (phase == "Ready"),
                "seed {seed}, {action:?}"
            );
        }
    }
}

/// As EC2 never stops a spot host of a one-time request.
#[test]
fn a_verb_that_is_never_possible_fails_its_request_and_not_the_host() {
    for action in [PowerAction::Stop, PowerAction::Restart, PowerAction::Kill] {
        let never = Faults { power: Some(FailureKind::Unsupported), ..Faults::default() };
        let mut fleet = fleet(never, 1);
        let asked = power(&fleet.cluster, action);
        let asked = fleet.cluster.accepted(request("never", asked));
        fleet.rounds(20);
        let operation = fleet.cluster.operation(asked).clone();
        assert_eq!((operation.state, operation.failed), (OperationState::Failed, 1));
        assert!(operation.failures[0].reason.contains("not this one"), "{operation:?}");
        assert_eq!(
            (&fleet.cluster.host("web").phase, fleet.cluster.host("web").desired.power),
            (&Phase::Ready, None)
        );
    }
}

#[test]
fn a_stopped_host_that_cannot_be_restarted_stays_stopped() {
    let mut fleet = fleet(Faults::default(), 1);
    let stop = power(&fleet.cluster, PowerAction::Stop);
    fleet.cluster.accepted(request("stop", stop));
    fleet.rest();
    fleet.faults = Faults { power: Some(FailureKind::Unsupported), ..Faults::default() };
    let restart = power(&fleet.cluster, PowerAction::Restart);
    fleet.cluster.accepted(request("restart", restart));
    fleet.rounds(20);
    let host = fleet.cluster.host("web");
    assert_eq!((&host.phase, host.desired.power, host.desired.running), (&Phase::Stopped, None, false));
}

#[test]
fn a_refused_verb_fails_no_delete_that_came_after_it() {
    for rounds in 0..4 {
        let never = Faults { power: Some(FailureKind::Unsupported), late: 100, ..Faults::default() };
        let mut fleet = fleet(never, 1);
        let stop = power(&fleet.cluster, PowerAction::Stop);
        fleet.cluster.accepted(request("stop", stop));
        fleet.rounds(rounds);
        let hosts = vec![fleet.cluster.id("web")];
        let delete = fleet.cluster.accepted(request("delete", Request::DeleteHosts { hosts, force: false }));
        fleet.rounds(30);
        fleet.rest();
        assert_eq!(fleet.cluster.operation(delete).state, OperationState::Succeeded, "after {rounds} rounds");
        assert!(fleet.cluster.state.hosts.is_empty() && fleet.cloud.machines.is_empty());
    }
}

#[test]
fn a_verb_that_lacks_capacity_is_tried_again() {
    let full = Faults { power: Some(FailureKind::Capacity), ..Faults::default() };
    let mut fleet = fleet(full, 1);
    let restart = power(&fleet.cluster, PowerAction::Restart);
    let restart = fleet.cluster.accepted(request("restart", restart));
    fleet.rounds(3);
    assert_eq!(fleet.cluster.operation(restart).state, OperationState::Running);
    fleet.faults = Faults::default();
    fleet.rest();
    assert_eq!(fleet.cluster.operation(restart).state, OperationState::Succeeded);
}

#[test]
fn what_is_so_already_is_done_at_once() {
    let mut fleet = fleet(Faults::default(), 1);
    let start = power(&fleet.cluster, PowerAction::Start);
    let start = fleet.cluster.accepted(request("start", start));
    assert_eq!(fleet.cluster.operation(start).state, OperationState::Succeeded);
}

/// The verb that was taken back did not succeed: nobody stopped the host.
#[test]
fn a_later_verb_takes_over() {
    let mut fleet = fleet(Faults::default(), 1);
    let (stop, start) = (power(&fleet.cluster, PowerAction::Stop), power(&fleet.cluster, PowerAction::Start));
    let stop = fleet.cluster.accepted(request("stop", stop));
    let start = fleet.cluster.accepted(request("start", start));
    assert_eq!(fleet.cluster.operation(stop).state, OperationState::Failed);
    assert_eq!(fleet.cluster.operation(start).state, OperationState::Succeeded);
    fleet.rest();
    assert_eq!(fleet.cluster.host("web").phase, Phase::Ready);
}

/// An engine of the boot before does not make the host Ready.
#[test]
fn the_engine_is_asked_anew_after_a_start() {
    let mut fleet = fleet(Faults::default(), 1);
    let stop = power(&fleet.cluster, PowerAction::Stop);
    fleet.cluster.accepted(request("stop", stop));
    fleet.rest();
    let host = fleet.cluster.host("web");
    assert!(!host.connected());
    assert!(!host.conditions.is_true(skep_types::ConditionKind::EngineReady));
}

#[test]
fn a_delete_ends_a_host_whose_power_is_changing() {
    for (seed, action) in (0..).zip([PowerAction::Stop, PowerAction::Kill, PowerAction::Restart]) {
        for rounds in 0..4 {
            let mut fleet = fleet(Faults::default(), seed);
            let power = power(&fleet.cluster, action);
            fleet.cluster.accepted(request("power", power));
            fleet.rounds(rounds);
            let hosts = vec![fleet.cluster.id("web")];
            fleet.cluster.accepted(request("delete", Request::DeleteHosts { hosts, force: false }));
            fleet.rest();
            assert!(fleet.cluster.state.hosts.is_empty() && fleet.cloud.machines.is_empty());
        }
    }
}
