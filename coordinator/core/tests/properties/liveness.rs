//! Whatever goes wrong on the way, everything comes to rest, and rightly.

use proptest::prelude::*;
use skep_core::command::Request;
use skep_types::{HostId, OnFailure, OperationId, OperationKind, Phase, Policy, Verdict};

use super::config;
use crate::support::{DriverSpec, Faults, Fleet, create_hosts, create_swarm, delete_hosts, request};

const SPECS: [DriverSpec; 4] = DriverSpec::ALL;

fn at_rest(fleet: &Fleet) {
    for host in fleet.cluster.state.hosts.values() {
        let rest = matches!(
            host.phase,
            Phase::Ready | Phase::Stopped | Phase::Failed { .. } | Phase::Quarantined { .. }
        );
        assert!(rest, "{} is left {}", host.name, host.phase.label());
        assert!(!host.desired.absent, "{} was to go, and is {}", host.name, host.phase.label());
    }
    for operation in fleet.cluster.state.operations.values() {
        assert!(operation.state.finished(), "{operation:?}");
    }
    check_instances(fleet);
}

/// At rest, instances of ours are those of the hosts; a quarantined host may have one that nobody can tell.
fn check_instances(fleet: &Fleet) {
    let hosts = || fleet.cluster.state.hosts.values();
    let owned = hosts().filter(|host| host.instance.is_some()).count();
    let ambiguous = hosts().filter(|host| matches!(host.phase, Phase::Quarantined { .. })).count();
    let live = fleet.cloud.machines.len();
    assert!(
        (owned..=owned + ambiguous).contains(&live),
        "{live} instances, {owned} owned, {ambiguous} ambiguous"
    );
}

fn check_promises(fleet: &Fleet) {
    for operation in fleet.cluster.state.operations.keys() {
        check_promise(fleet, *operation);
    }
}

/// Count or none, minimum or none; where nobody deletes what was made.
fn check_promise(fleet: &Fleet, id: OperationId) {
    let operation = fleet.cluster.operation(id);
    let (Some(rule), true) = (operation.rule, operation.kind != OperationKind::Administer) else {
        return;
    };
    let made =
        |host: &&std::sync::Arc<skep_core::state::Host>| host.created_by == id && host.instance.is_some();
    let made = fleet.cluster.state.hosts.values().filter(made).count();
    match operation.verdict {
        Verdict::Committed if rule.on_failure == OnFailure::Keep => assert!(made >= rule.needed as usize),
        Verdict::Committed => {}
        Verdict::Aborted => assert_eq!(made, 0, "an aborted create left instances: {operation:?}"),
        Verdict::Undecided => panic!("no verdict: {operation:?}"),
    }
}

fn policy(all: bool) -> Policy {
    if all { Policy::AllOrNothing } else { Policy::BestEffort }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_create_comes_to_rest(
        seed: u64, spec in 0..4_usize, count in 1..9_u32, min in 0..9_u32, all: bool, delete: bool,
        max_failures in proptest::option::of(0..3_u32), storm in 5..60_usize,
    ) {
        let mut fleet = Fleet::new(SPECS[spec], Faults::MANY, seed);
        let mut create = create_hosts("web", count);
        create.min_count = min.min(count);
        create.policy = policy(all);
        create.max_failures = max_failures;
        create.on_failure = if delete { OnFailure::Delete } else { OnFailure::Keep };
        fleet.cluster.accepted(request("create", Request::CreateHosts(create)));
        fleet.rounds(storm);
        fleet.rest();
        at_rest(&fleet);
        check_promises(&fleet);
    }

    #[test]
    fn every_swarm_comes_to_rest(
        seed: u64, spec in 0..4_usize, managers in 0..3_u32, workers in 0..4_u32, all: bool, delete: bool,
        storm in 5..120_usize,
    ) {
        let mut fleet = Fleet::new(SPECS[spec], Faults::MANY, seed);
        let mut create = create_swarm("demo", managers * 2 + 1, workers);
        create.policy = policy(all);
        create.on_failure = if delete { OnFailure::Delete } else { OnFailure::Keep };
        fleet.cluster.accepted(request("create", Request::CreateSwarm(create)));
        fleet.rounds(storm);
        fleet.rest();
        at_rest(&fleet);
        check_promises(&fleet);
    }

    #[test]
    fn a_delete_ends_whenever_it_comes(
        seed: u64, spec in 0..4_usize, when in 0..80_usize, storm in 0..40_usize, whole: bool,
    ) {
        let mut fleet = Fleet::new(SPECS[spec], Faults::MANY, seed);
        fleet.cluster.accepted(request("create", Request::CreateSwarm(create_swarm("demo", 3, 2))));
        fleet.rounds(when);
        let swarm = fleet.cluster.state.swarms.keys().next().copied();
        let all: Vec<HostId> = fleet.cluster.state.hosts.keys().copied().collect();
        match swarm {
            Some(swarm) if whole => {
                fleet.cluster.accepted(request("delete", Request::DeleteSwarm { swarm }));
            }
            _ if all.is_empty() => {}
            _ => {
                fleet.send(vec![delete_hosts("delete", all)]);
            }
        }
        fleet.rounds(storm);
        fleet.rest();
        prop_assert_eq!(fleet.cluster.state.hosts.len(), 0);
        prop_assert_eq!(fleet.cloud.machines.len(), 0);
        at_rest(&fleet);
    }
}
