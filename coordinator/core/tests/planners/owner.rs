//! Who acts for an account: moved only when the one before certainly no longer does.

use std::sync::Arc;
use std::time::Duration;

use skep_core::Command;
use skep_core::command::{AddAccount, MemberCommand, PlanCommand, Request};
use skep_core::plan::{Step, WaitReason, owner};
use skep_core::state::{AccountSettings, Owner};
use skep_types::{ClusterTime, CoordinatorId};

use crate::support::{Cluster, DriverSpec, create_hosts, digest, request};

/// Three coordinators, the driver on the first two; the first owns its account.
fn three() -> Cluster {
    three_with(DriverSpec::TOKEN)
}

fn three_with(spec: DriverSpec) -> Cluster {
    let mut cluster = Cluster::founded(spec);
    for number in [2, 3] {
        let (token, expires_at) = (digest(number), ClusterTime(u64::MAX));
        cluster.accepted(request(&format!("token-{number}"), Request::CreateJoinToken { token, expires_at }));
        cluster.one(Command::Member(MemberCommand::Redeem {
            token,
            address: String::new(),
            raft_address: String::new(),
            control_key: digest(10 + number),
            raft_key: digest(20 + number),
        }));
    }
    cluster.register(CoordinatorId(2), 1, spec);
    cluster.liveness.alive.insert(CoordinatorId(3), 0);
    cluster
}

fn owner(cluster: &Cluster) -> Owner {
    *cluster.state.accounts.values().next().and_then(|account| account.owner(0)).expect("an owner")
}

fn moves(cluster: &Cluster) -> Vec<(CoordinatorId, u64)> {
    let commands = owner::plan(&cluster.view(), &cluster.liveness);
    commands
        .into_iter()
        .map(|command| match command {
            PlanCommand::AssignOwner { coordinator, process, .. } => (coordinator, process),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn an_owner_that_is_alive_stays() {
    assert_eq!(moves(&three()), []);
}

/// Silence proves nothing before the lease and the longest call are over.
#[test]
fn a_silent_owner_stays_until_it_has_expired() {
    let mut cluster = three();
    cluster.liveness.alive.remove(&CoordinatorId(1));
    assert_eq!(moves(&cluster), []);
    cluster.liveness.expired.insert(CoordinatorId(1));
    assert_eq!(moves(&cluster), [(CoordinatorId(2), 1)]);
}

/// Where the same call twice is one, nobody waits for the lease of a process that is gone.
#[test]
fn an_owner_whose_process_is_gone_moves_before_it_has_expired_where_calls_repeat_safely() {
    let moved = [(CoordinatorId(2), 1)];
    for (spec, expected) in [
        (DriverSpec::TOKEN, moved.as_slice()),
        (DriverSpec::UNIQUE, moved.as_slice()),
        (DriverSpec::NONE, &[]),
    ] {
        let mut cluster = three_with(spec);
        // It was heard a few seconds ago.
        cluster.liveness.ended.insert(CoordinatorId(1));
        assert_eq!(moves(&cluster), expected);
    }
}

/// What its buckets gained meanwhile is the next owner's.
#[test]
fn an_owner_is_told_for_how_long_the_one_before_was_silent() {
    let mut cluster = three();
    let idle = Duration::from_secs(4);
    cluster.liveness.ended.insert(CoordinatorId(1));
    cluster.liveness.idle.insert(CoordinatorId(1), idle);
    cluster.assign_owners();
    assert_eq!((owner(&cluster).coordinator, owner(&cluster).idle), (CoordinatorId(2), Some(idle)));
}

/// Somebody has removed the driver's program there, and nowhere else.
#[test]
fn an_owner_that_has_lost_the_driver_gives_way_where_calls_repeat_safely() {
    let lose = |cluster: &mut Cluster, coordinator| {
        cluster.one(Command::Member(MemberCommand::Register {
            coordinator,
            process: 1,
            address: String::new(),
            raft_address: String::new(),
            version: String::new(),
            drivers: Vec::new(),
            broken: Vec::new(),
        }));
    };
    for (spec, wanted) in [
        (DriverSpec::TOKEN, &[(CoordinatorId(2), 1)][..]),
        (DriverSpec::UNIQUE, &[(CoordinatorId(2), 1)]),
        (DriverSpec::NONE, &[]),
    ] {
        let mut cluster = three_with(spec);
        lose(&mut cluster, CoordinatorId(1));
        assert_eq!(moves(&cluster), wanted);
        // Better an owner that may still be able than none.
        lose(&mut cluster, CoordinatorId(2));
        assert_eq!(moves(&cluster), []);
    }
}

/// Its new process has nothing under way: no lease is waited for.
#[test]
fn a_restarted_owner_moves_at_once() {
    let mut cluster = three();
    let before = owner(&cluster);
    cluster.register(CoordinatorId(1), 2, DriverSpec::TOKEN);
    cluster.assign_owners();
    let after = owner(&cluster);
    assert_eq!(after.epoch, before.epoch + 1);
    assert!(after.process == 2 || after.coordinator == CoordinatorId(2));
    assert_eq!(moves(&cluster), []);
}

#[test]
fn only_a_coordinator_with_the_driver_is_eligible() {
    let mut cluster = three();
    cluster.liveness.alive.remove(&CoordinatorId(1));
    cluster.liveness.alive.remove(&CoordinatorId(2));
    cluster.liveness.expired.extend([CoordinatorId(1), CoordinatorId(2)]);
    assert_eq!(moves(&cluster), [], "the third does not have the driver");
}

/// Heard of, but not registered as this process yet: what it can do is not known.
#[test]
fn a_process_that_has_not_registered_is_not_eligible() {
    let mut cluster = three();
    cluster.liveness.alive.remove(&CoordinatorId(2));
    cluster.liveness.alive.insert(CoordinatorId(1), 2);
    assert_eq!(moves(&cluster), []);
}

#[test]
fn a_removed_coordinator_is_not_eligible() {
    let mut cluster = three();
    let coordinator = CoordinatorId(2);
    cluster.accepted(request("remove", Request::RemoveCoordinator { coordinator }));
    cluster.liveness.alive.remove(&CoordinatorId(1));
    cluster.liveness.expired.insert(CoordinatorId(1));
    assert_eq!(moves(&cluster), []);
}

#[test]
fn a_move_that_comes_late_changes_nothing() {
    let mut cluster = three();
    let stale = PlanCommand::AssignOwner {
        account: "sim".parse().unwrap(),
        shard: 0,
        epoch: 0,
        coordinator: CoordinatorId(2),
        process: 1,
        idle: None,
    };
    let before = owner(&cluster);
    cluster.one(Command::Plan(stale));
    assert_eq!(owner(&cluster), before);
}

#[test]
fn an_owner_inherits_what_was_open_before_it_and_nothing_else() {
    let mut cluster = three();
    let open = |cluster: &mut Cluster, name: &str, digit| {
        cluster.accepted(request(name, Request::CreateHosts(create_hosts(name, 1))));
        cluster.open_create(&[digest(digit)]);
        *cluster.state.intents.keys().next_back().unwrap()
    };
    let before = open(&mut cluster, "before", 100);
    cluster.liveness.alive.remove(&CoordinatorId(1));
    cluster.liveness.expired.insert(CoordinatorId(1));
    for moved in owner::plan(&cluster.view(), &cluster.liveness) {
        cluster.one(Command::Plan(moved));
    }
    let after = open(&mut cluster, "after", 101);
    let inherits = owner(&cluster).inherits.expect("it is known");
    assert!(before <= inherits && inherits < after, "{before} {inherits} {after}");
}

/// The list is kept also where that leaves nobody: silence is no reason to send a call where it cannot arrive.
#[test]
fn only_a_coordinator_that_reaches_the_account_is_eligible() {
    let mut cluster = three();
    let account = AddAccount {
        account: "far".parse().unwrap(),
        driver: "sim".parse().unwrap(),
        settings: AccountSettings { coordinators: vec![CoordinatorId(2)], ..AccountSettings::default() },
        replace: false,
    };
    cluster.accepted(request("far", Request::AddAccount(account)));
    assert_eq!(moves(&cluster), [(CoordinatorId(2), 1)]);
    let mut create = create_hosts("web", 1);
    let mut template = (*create.shares[0].template).clone();
    template.account = "far".parse().unwrap();
    create.shares = vec![Arc::new(template).into()];
    cluster.accepted(request("create", Request::CreateHosts(create)));
    cluster.liveness.alive.remove(&CoordinatorId(2));
    assert_eq!(moves(&cluster), [], "the first has the driver and does not reach the account");
    let waits = Step::Wait { reason: WaitReason::NoEligibleCoordinator, until: None };
    assert_eq!(cluster.step("web"), waits);
    assert!(WaitReason::NoEligibleCoordinator.to_string().contains("no eligible coordinator"));
}
