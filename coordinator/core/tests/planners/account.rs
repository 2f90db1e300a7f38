//! Which hosts share a driver call, and how many calls there are at once.

use std::collections::BTreeMap;

use skep_core::Command;
use skep_core::command::{MemberCommand, Request};
use skep_core::plan::account::{self, Wish, WishKind};
use skep_core::state::AccountLimits;
use skep_types::{Bucket, CallClass, ClusterTime, CoordinatorId, HostId, Limits, Phase, PowerAction};

use crate::support::place::bound;
use crate::support::{Cluster, DriverSpec, create_hosts, request};

fn hosts(spec: DriverSpec, count: u32) -> Cluster {
    let mut cluster = Cluster::founded(spec);
    cluster.accepted(request("create", Request::CreateHosts(create_hosts("web", count))));
    cluster
}

fn plan(cluster: &Cluster) -> (Vec<Wish>, Vec<(ClusterTime, HostId)>) {
    let account = cluster.state.accounts.values().next().expect("an account");
    account::plan(&cluster.view(), account)
}

fn sizes(wishes: &[Wish]) -> Vec<usize> {
    wishes.iter().map(|wish| wish.guards.len()).collect()
}

#[test]
fn a_batch_is_as_large_as_the_driver_takes() {
    let cluster = hosts(DriverSpec { batch: 4, in_flight: 9, ..DriverSpec::TOKEN }, 10);
    assert_eq!(sizes(&plan(&cluster).0), [4, 4, 2]);
    let oldest = cluster.id("web-1");
    assert_eq!(plan(&cluster).0[0].guards[0].host, oldest);
}

/// A batch that no full bucket pays for would wait for longer than it saves.
#[test]
fn a_batch_is_no_larger_than_what_the_account_pays_for_at_once() {
    let mut cluster = hosts(DriverSpec { batch: 10, in_flight: 3, ..DriverSpec::TOKEN }, 10);
    let set = |burst, calls_in_flight| {
        let instances = BTreeMap::from([(CallClass::Create, Bucket { per_minute: 60, burst })]);
        let buckets = Limits { instances, ..Limits::default() };
        let limits = AccountLimits { buckets, calls_in_flight };
        request(
            &format!("set-{burst}"),
            Request::SetAccountLimits { account: "sim".parse().unwrap(), limits },
        )
    };
    cluster.accepted(set(4, None));
    assert_eq!(sizes(&plan(&cluster).0), [4, 4, 2]);
    cluster.accepted(set(2, Some(2)));
    assert_eq!(sizes(&plan(&cluster).0), [2, 2]);
    cluster.accepted(set(50, Some(1)));
    assert_eq!(sizes(&plan(&cluster).0), [10]);
}

#[test]
fn calls_in_flight_are_bounded_with_those_that_are_open() {
    let spec = DriverSpec { batch: 2, in_flight: 3, ..DriverSpec::TOKEN };
    let mut cluster = hosts(spec, 10);
    assert_eq!(sizes(&plan(&cluster).0), [2, 2, 2]);
    *cluster.state.index.open.entry("sim".parse().unwrap()).or_default() = 2;
    assert_eq!(sizes(&plan(&cluster).0), [2]);
    *cluster.state.index.open.entry("sim".parse().unwrap()).or_default() = 7;
    assert_eq!(plan(&cluster), (Vec::new(), Vec::new()));
}

#[test]
fn hosts_in_a_pause_are_looked_at_when_it_ends() {
    let mut cluster = hosts(DriverSpec::TOKEN, 2);
    cluster.with_host("web-1", |host| host.retry_at = Some(ClusterTime(9_000)));
    let (wishes, wake) = plan(&cluster);
    assert_eq!(sizes(&wishes), [1]);
    assert_eq!(wake, [(ClusterTime(9_000), cluster.id("web-1"))]);
    cluster.now = ClusterTime(9_000);
    assert_eq!(sizes(&plan(&cluster).0), [2]);
}

#[test]
fn a_call_does_one_thing() {
    let mut cluster = hosts(DriverSpec { batch: 4, in_flight: 9, ..DriverSpec::TOKEN }, 6);
    let powers =
        [("web-1", PowerAction::Stop), ("web-2", PowerAction::Stop), ("web-3", PowerAction::Restart)];
    for (name, action) in powers {
        cluster.with_host(name, |host| {
            bound(host, Phase::Ready);
            host.desired.power = Some(action);
        });
    }
    cluster.with_host("web-4", |host| bound(host, Phase::Deleting { intent: None }));
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for wish in plan(&cluster).0 {
        let kind = match wish.kind {
            WishKind::Create(_) => "create".to_owned(),
            WishKind::Power(action) => format!("{action:?}"),
            WishKind::Destroy => "destroy".to_owned(),
        };
        kinds.push((kind, wish.guards.len()));
    }
    let wanted = [("Stop", 2), ("Restart", 1), ("destroy", 1), ("create", 2)];
    assert_eq!(kinds, wanted.map(|(kind, count)| (kind.to_owned(), count)));
}

#[test]
fn a_shard_has_calls_of_its_own_and_none_without_an_owner() {
    let mut cluster = Cluster::founded(DriverSpec { batch: 9, in_flight: 9, ..DriverSpec::TOKEN });
    let driver = Box::new(DriverSpec { batch: 9, in_flight: 9, ..DriverSpec::TOKEN }.describe());
    let name: skep_types::AccountName = "wide".parse().unwrap();
    cluster.one(Command::Member(MemberCommand::PutAccount { name: name.clone(), driver, shards: 2 }));
    let mut create = create_hosts("web", 6);
    let mut template = (*create.shares[0].template).clone();
    template.account = name.clone();
    create.shares[0].template = template.into();
    cluster.accepted(request("create", Request::CreateHosts(create)));
    let plan = |cluster: &Cluster| account::plan(&cluster.view(), &cluster.state.accounts[&name]).0;
    assert_eq!(plan(&cluster), [], "nobody owns it yet");
    cluster.assign_owners();
    let wishes = plan(&cluster);
    assert_eq!(sizes(&wishes), [3, 3]);
    assert_ne!(wishes[0].shard, wishes[1].shard);
    assert_eq!(cluster.state.accounts[&name].owner(1).unwrap().coordinator, CoordinatorId(1));
}

/// What is planned is opened as planned, and then nothing is left to plan.
#[test]
fn an_opened_wish_is_not_wished_again() {
    let mut fleet = crate::support::Fleet::new(DriverSpec::TOKEN, crate::support::Faults::default(), 1);
    fleet.cluster.accepted(request("create", Request::CreateHosts(create_hosts("web", 3))));
    fleet.cluster.plan();
    let changes = fleet.everything();
    fleet.cluster.changes.merge(changes);
    fleet.round();
    assert!(plan(&fleet.cluster).0.is_empty());
    assert_eq!(fleet.cloud.made, 3);
}
