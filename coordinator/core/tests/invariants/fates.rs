//! Instances, operations and requests: 1 to 5, 9 and 13.

use std::collections::BTreeMap;

use skep_core::Command;
use skep_core::command::{OutcomeCommand, PlanCommand, Reply, Request, RequestCommand};
use skep_core::state::IntentKind;
use skep_types::{ConditionStatus, FailureClass, HostId, OnFailure, OperationState, Phase, Policy, Verdict};

use crate::support::place::{connected, settled_swarm};
use crate::support::{
    Chance, Cluster, DriverSpec, Faults, Fleet, create_hosts, create_swarm, delete_hosts, digest, request,
};

fn ends(fleet: &Fleet) -> BTreeMap<String, &'static str> {
    let hosts = fleet.cluster.state.hosts.values();
    hosts.map(|host| (host.name.to_string(), host.phase.label())).collect()
}

fn creation(count: u32) -> RequestCommand {
    request("create", Request::CreateHosts(create_hosts("web", count)))
}

#[test]
fn invariant_01_no_orphan_and_no_double_in_any_class() {
    for (spec, seed) in DriverSpec::ALL.into_iter().flat_map(|spec| (0..40).map(move |seed| (spec, seed))) {
        let mut fleet = Fleet::new(spec, Faults::PASSING, seed);
        fleet.cluster.accepted(creation(6));
        fleet.rounds(40);
        fleet.rest();
        let ambiguous =
            |host: &&std::sync::Arc<skep_core::state::Host>| matches!(host.phase, Phase::Quarantined { .. });
        let ambiguous = fleet.cluster.state.hosts.values().filter(ambiguous).count();
        let live = fleet.cloud.machines.len();
        assert!((6 - ambiguous..=6).contains(&live), "seed {seed}: {live} instances, {ambiguous} ambiguous");
        assert!(ambiguous == 0 || spec.idempotency == skep_types::Idempotency::None);
        assert_eq!(fleet.cloud.made, live as u64, "seed {seed}: an instance was made for nothing");
    }
}

/// The call is the owner's alone: what an owner of before says of it is not heard.
#[test]
fn invariant_02_outcomes_of_another_epoch_change_nothing() {
    let mut fleet = Fleet::new(DriverSpec::TOKEN, Faults { lost: 100, ..Faults::default() }, 1);
    fleet.cluster.accepted(creation(2));
    fleet.rounds(2);
    let intent = fleet.cluster.state.intents.values().next().cloned().expect("an open intent");
    let IntentKind::Create { .. } = &intent.kind else { panic!("{intent:?}") };
    let (placements, _) = fleet.cloud.saved(&intent).expect("the call was made");
    let before = fleet.cluster.state.clone();
    for epoch in [0, 2, u64::MAX] {
        let id = intent.id;
        for outcome in [
            OutcomeCommand::MarkAttempted { intent: id, epoch, attempt: 1 },
            OutcomeCommand::Bind { intent: id, epoch, placements: placements.clone() },
            OutcomeCommand::CloseCreate { intent: id, epoch, shortfall: None },
            OutcomeCommand::CloseTargets { intent: id, epoch, results: Vec::new() },
        ] {
            let reply = fleet.cluster.one(Command::Outcome(outcome));
            assert!(matches!(reply, Reply::Unchanged(_)));
        }
    }
    let after = fleet.cluster.state.clone();
    assert!(skep_core::State { revision: before.revision, ..after } == before);
}

/// The answer to a mark may be lost, and the mark is sent again; another call's is refused.
#[test]
fn invariant_02_the_mark_of_an_attempt_is_the_same_twice_and_no_other_call_has_it() {
    let mut cluster = Cluster::founded(DriverSpec::NONE);
    cluster.accepted(creation(1));
    let intent = cluster.open_create(&[digest(1)]);
    let mut mark =
        |attempt| cluster.one(Command::Outcome(OutcomeCommand::MarkAttempted { intent, epoch: 1, attempt }));
    assert_eq!(mark(7), Reply::Done);
    assert_eq!(mark(7), Reply::Done);
    for other in [8, 0] {
        assert!(matches!(mark(other), Reply::Unchanged(_)), "{other}");
    }
    assert_eq!(mark(7), Reply::Done);
}

#[test]
fn invariant_02_no_one_shot_without_its_permit() {
    let mut fleet = Fleet::new(DriverSpec::TOKEN, Faults::PASSING, 5);
    fleet.cluster.accepted(request("create", Request::CreateSwarm(create_swarm("demo", 3, 3))));
    fleet.rounds(60);
    fleet.rest();
    let granted = |command: &&Command| matches!(command, Command::Plan(PlanCommand::Grant { .. }));
    let log = || fleet.cluster.log.iter().flat_map(|entry| &entry.commands);
    assert!(log().filter(granted).count() >= 6 + 2, "an init, five joins and two promotions");
    assert_eq!(fleet.docker.membership.len(), 6);
}

/// Owners restarted, leaders changed, answers lost, late and twice: the same hosts as undisturbed.
#[test]
fn invariant_03_disturbances_end_where_peace_does() {
    for spec in [DriverSpec::TOKEN, DriverSpec::SHARED, DriverSpec::UNIQUE] {
        let run = |faults, seed| {
            let mut fleet = Fleet::new(spec, faults, seed);
            fleet.cluster.accepted(request("create", Request::CreateSwarm(create_swarm("demo", 3, 2))));
            fleet.cluster.accepted(request("more", Request::CreateHosts(create_hosts("web", 3))));
            fleet.rounds(20);
            let gone: Vec<HostId> = fleet.cluster.state.hosts.keys().copied().skip(3).take(1).collect();
            fleet.send(vec![delete_hosts("delete", gone)]);
            fleet.rounds(60);
            fleet.rest();
            ends(&fleet)
        };
        let peace = run(Faults::default(), 0);
        assert_eq!(peace.len(), 7);
        for seed in 0..25 {
            assert_eq!(run(Faults::PASSING, seed), peace, "seed {seed}");
        }
    }
}

#[test]
fn invariant_04_the_same_request_is_one_operation_at_any_time() {
    for seed in 0..20 {
        let mut fleet = Fleet::new(DriverSpec::TOKEN, Faults::PASSING, seed);
        let first = fleet.cluster.accepted(creation(3));
        for _ in 0..30 {
            fleet.rounds(2);
            assert_eq!(fleet.cluster.accepted(creation(3)), first);
        }
        fleet.rest();
        assert_eq!(fleet.cluster.accepted(creation(3)), first);
        fleet.rest();
        assert_eq!((fleet.cluster.state.hosts.len(), fleet.cloud.made), (3, 3));
    }
}

/// A driver with room for five of eight.
#[test]
fn invariant_05_count_or_none_and_minimum_or_none() {
    let table = [
        (Policy::AllOrNothing, 8, None, Verdict::Aborted, 0),
        (Policy::BestEffort, 6, None, Verdict::Aborted, 0),
        (Policy::BestEffort, 5, None, Verdict::Committed, 5),
        (Policy::BestEffort, 0, None, Verdict::Committed, 5),
        (Policy::BestEffort, 6, Some(0), Verdict::Aborted, 0),
    ];
    for (policy, min, max_failures, verdict, live) in table {
        for on_failure in [OnFailure::Keep, OnFailure::Delete] {
            let mut fleet = Fleet::new(DriverSpec { batch: 1, ..DriverSpec::TOKEN }, Faults::default(), 1);
            let mut create = create_hosts("web", 8);
            (create.policy, create.min_count, create.max_failures) = (policy, min, max_failures);
            create.on_failure = on_failure;
            let id = fleet.cluster.accepted(request("create", Request::CreateHosts(create)));
            fleet.cloud.room = 5;
            fleet.rounds(30);
            fleet.rest();
            let operation = fleet.cluster.operation(id);
            assert_eq!(operation.verdict, verdict, "{policy:?} {min}");
            assert_eq!(fleet.cloud.machines.len(), live, "{policy:?} {min}");
            let end = match verdict {
                Verdict::Committed => OperationState::PartlyFailed,
                _ => OperationState::Failed,
            };
            assert_eq!((operation.state, operation.done as usize), (end, live), "{policy:?} {min}");
        }
    }
}

/// Before the verdict, an instance whose host failed is no longer one of those that are wanted.
#[test]
fn invariant_05_a_host_that_failed_does_not_count_for_the_minimum() {
    let mut fleet =
        Fleet::new(DriverSpec { batch: 1, in_flight: 1, ..DriverSpec::TOKEN }, Faults::default(), 1);
    let mut create = create_hosts("web", 3);
    create.min_count = 2;
    let id = fleet.cluster.accepted(request("create", Request::CreateHosts(create)));
    fleet.round();
    assert_eq!(fleet.cluster.operation(id).bound, 1);
    let bound =
        fleet.cluster.state.hosts.values().find(|host| host.instance.is_some()).expect("one is bound").id;
    fleet.send(vec![delete_hosts("delete", vec![bound])]);
    assert_eq!(fleet.cluster.operation(id).bound, 0);
    fleet.round();
    assert_eq!(
        (fleet.cluster.operation(id).bound, fleet.cluster.operation(id).verdict),
        (1, Verdict::Undecided)
    );
    fleet.rest();
    assert_eq!(fleet.cluster.operation(id).verdict, Verdict::Committed);
    assert_eq!(fleet.cloud.machines.len(), 2);
}

/// A swarm is nothing without its managers: it does not wait for a verdict that can no longer come.
#[test]
fn invariant_05_a_swarm_that_lost_a_manager_aborts() {
    for on_failure in [OnFailure::Keep, OnFailure::Delete] {
        let mut fleet = Fleet::new(DriverSpec { batch: 1, ..DriverSpec::TOKEN }, Faults::default(), 1);
        let mut create = create_swarm("demo", 3, 5);
        create.on_failure = on_failure;
        let id = fleet.cluster.accepted(request("create", Request::CreateSwarm(create)));
        fleet.faults.lasting = 100;
        fleet.round();
        fleet.rest();
        assert_eq!(fleet.cluster.operation(id).verdict, Verdict::Aborted);
        assert_eq!((fleet.cluster.state.hosts.len(), fleet.cloud.machines.len()), (0, 0));
        assert_eq!(fleet.cluster.state.swarms.len(), 0, "the name is free again");
    }
}

/// Also from a phase no run of the fleet may have met: every one of them, one by one.
#[test]
fn invariant_09_delete_ends_from_every_phase() {
    let failed = |class| Phase::Failed { class, message: String::new() };
    let phases = [
        Phase::Booting,
        Phase::Installing,
        Phase::Joining,
        Phase::Ready,
        Phase::Stopped,
        Phase::Starting { intent: None },
        Phase::Demoting,
        Phase::Leaving,
        Phase::Deleting { intent: None },
        failed(FailureClass::Boot),
        failed(FailureClass::Join),
        Phase::Quarantined { reason: String::new() },
    ];
    for phase in phases {
        for role in ["s-manager-2", "s-worker-1"] {
            for lost in [false, true] {
                let mut fleet = Fleet::new(DriverSpec::TOKEN, Faults::default(), 1);
                fleet.cluster.accepted(request("create", Request::CreateSwarm(create_swarm("s", 3, 2))));
                fleet.rest();
                let absent = matches!(phase, Phase::Demoting | Phase::Leaving | Phase::Deleting { .. });
                fleet.cluster.with_host(role, |host| {
                    host.phase = phase.clone();
                    host.desired.absent = absent;
                });
                let id = fleet.cluster.id(role);
                if lost {
                    fleet.lose_agent(id);
                }
                fleet.send(vec![delete_hosts("delete", vec![id])]);
                fleet.rest();
                assert!(fleet.cluster.state.host(id).is_none(), "{role} {phase:?}, lost: {lost}");
                assert_eq!(fleet.cloud.machines.len(), 4, "{role} {phase:?}, lost: {lost}");
            }
        }
    }
}

/// Two of three managers are gone for good: nobody can demote the third, but a person can give it up.
#[test]
fn invariant_09_a_lost_swarm_goes_by_force_or_as_a_whole() {
    for force in [true, false] {
        let mut fleet = Fleet::new(DriverSpec::TOKEN, Faults::default(), 1);
        fleet.cluster.accepted(request("create", Request::CreateSwarm(create_swarm("s", 3, 1))));
        fleet.rest();
        for name in ["s-manager-2", "s-manager-3"] {
            let lost = fleet.cluster.id(name);
            fleet.lose_agent(lost);
        }
        fleet.rounds(20);
        let first = fleet.cluster.id("s-manager-2");
        fleet.send(vec![delete_hosts("delete", vec![first])]);
        fleet.rounds(2_000);
        assert_eq!(fleet.cluster.host("s-manager-2").phase, Phase::Demoting);
        let what = match force {
            true => Request::DeleteHosts { hosts: vec![first], force },
            false => Request::DeleteSwarm { swarm: fleet.cluster.swarm().id },
        };
        fleet.cluster.accepted(request("again", what));
        // No rest: as long as its swarm is lost, the node of the one that went by force stays to be removed.
        fleet.rounds(200);
        assert_eq!(fleet.cluster.state.hosts.len(), if force { 3 } else { 0 });
    }
}

/// However long nobody hears of them.
#[test]
fn invariant_13_a_partition_deletes_nothing() {
    let mut cluster = settled_swarm(3, 3);
    let names: Vec<String> = cluster.state.hosts.values().map(|host| host.name.to_string()).collect();
    for name in &names {
        cluster.with_host(name, |host| connected(host, ConditionStatus::False, 0));
    }
    let mut chance = Chance::new(1);
    for _ in 0..50 {
        cluster.now.0 += chance.next() % 10_000_000;
        let changes = cluster.view().everything();
        assert_eq!(cluster.view().plan(&changes), skep_core::plan::Plan::default());
    }
}
