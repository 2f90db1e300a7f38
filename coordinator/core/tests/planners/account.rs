//! Which hosts share a driver call, and how many calls there are at once.

use std::collections::BTreeMap;

use skep_core::command::{MemberCommand, PlanCommand, Request};
use skep_core::plan::account::{self, Wish, WishKind};
use skep_core::state::{AccountLimits, Share};
use skep_core::{Command, Reply};
use skep_types::{
    AccountName, Bucket, CallClass, ClusterTime, CoordinatorId, HostId, Limits, Phase, PowerAction,
};

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

/// An account of four shards over three coordinators, with as many tokens as are left over by a division.
fn split() -> Cluster {
    let mut cluster = Cluster::founded(DriverSpec::TOKEN);
    let bucket = |per_minute, burst| Bucket { per_minute, burst };
    let mut driver = DriverSpec { batch: 50, ..DriverSpec::TOKEN }.describe();
    driver.limits = Limits {
        calls: BTreeMap::from([(CallClass::Read, bucket(61, 4)), (CallClass::Create, bucket(4, 9))]),
        instances: BTreeMap::from([(CallClass::Create, bucket(607, 11))]),
    };
    let name: AccountName = "wide".parse().expect("a name");
    let put = MemberCommand::PutAccount { name: name.clone(), driver: Box::new(driver), shards: 4 };
    assert_eq!(cluster.one(Command::Member(put)), Reply::Done);
    for (shard, coordinator) in (0..).zip([1, 3, 3, 2].map(CoordinatorId)) {
        let (account, epoch, process) = (name.clone(), 0, 1);
        let assign = PlanCommand::AssignOwner { account, shard, epoch, coordinator, process, idle: None };
        cluster.one(Command::Plan(assign));
    }
    cluster
}

/// However an account is split, its endpoint is asked for no more than its limits: the parts are the whole.
#[test]
fn the_parts_of_an_accounts_limits_are_the_whole() {
    let cluster = split();
    let account = &cluster.state.accounts[&"wide".parse().unwrap()];
    let parts = [1, 2, 3, 4].map(|coordinator| account.share(CoordinatorId(coordinator)));
    assert_eq!(parts.clone().map(|part| part.shards.len()), [1, 1, 2, 0]);
    let whole = account.limits();
    let sum = |of: &dyn Fn(&Limits) -> u32| parts.iter().map(|part| of(&part.limits)).sum::<u32>();
    for (class, bucket) in &whole.calls {
        assert_eq!(sum(&|limits| limits.calls[class].per_minute), bucket.per_minute);
        assert_eq!(sum(&|limits| limits.calls[class].burst), bucket.burst);
        let least = |part: &&Share| part.limits.calls[class].per_minute.min(part.limits.calls[class].burst);
        assert!(
            parts.iter().filter(|part| !part.shards.is_empty()).map(|part| least(&part)).min() >= Some(1)
        );
    }
    assert_eq!(sum(&|limits| limits.instances[&CallClass::Create].burst), 11);
    // None of its shards can pay for more at once.
    assert_eq!(account.create_batch_max(), 2);
}

#[test]
fn an_account_has_no_more_shards_than_tokens() {
    let mut cluster = split();
    let calls = BTreeMap::from([(CallClass::Read, Bucket { per_minute: 60, burst: 3 })]);
    let limits = AccountLimits { buckets: Limits { calls, ..Limits::default() }, calls_in_flight: None };
    let account = "wide".parse().unwrap();
    let set = request("too-few", Request::SetAccountLimits { account, limits });
    let Reply::Refused(refusal) = cluster.request(set) else { panic!("accepted") };
    assert_eq!(refusal.violations[0].field, "limits");
    let (name, shards) = ("wider".parse().unwrap(), 5);
    let driver = Box::new(cluster.state.accounts[&"wide".parse().unwrap()].driver.clone());
    let put = cluster.one(Command::Member(MemberCommand::PutAccount { name, driver, shards }));
    let Reply::Refused(refusal) = put else { panic!("{put:?}") };
    assert_eq!(refusal.violations[0].field, "shards");
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
