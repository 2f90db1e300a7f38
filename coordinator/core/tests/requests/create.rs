//! Creates.

use skep_core::command::{CreateHosts, Request, Share};
use skep_types::Code;

use super::{code, field};
use crate::support::{Cluster, DriverSpec, create_hosts, create_swarm, host_name, request};

fn cluster() -> Cluster {
    Cluster::founded(DriverSpec::TOKEN)
}

fn with(change: impl FnOnce(&mut CreateHosts)) -> Request {
    let mut create = create_hosts("web", 2);
    change(&mut create);
    Request::CreateHosts(create)
}

#[test]
fn each_refusal_names_its_field() {
    let table = [
        (with(|create| create.count = 0), "count"),
        (with(|create| create.count = 100_001), "count"),
        (with(|create| create.min_count = 3), "min_count"),
        (with(|create| create.name = host_name(&"x".repeat(62))), "name"),
        (with(|create| create.shares = vec![template("other", "sim").into()]), "template.account"),
        (with(|create| create.shares = vec![template("other", "other").into()]), "template.driver"),
    ];
    for (request, wanted) in table {
        assert_eq!(field(&mut cluster(), request), wanted);
    }
}

fn template(driver: &str, account: &str) -> std::sync::Arc<skep_types::Template> {
    let mut template = (*crate::support::template()).clone();
    template.driver = driver.parse().expect("a driver");
    template.account = account.parse().expect("an account");
    template.into()
}

/// Labels tell the templates apart here.
fn shares(weights: &[(u32, Option<u32>)]) -> Vec<Share> {
    let share = |(index, (weight, max)): (usize, &(u32, Option<u32>))| {
        let mut template = (*crate::support::template()).clone();
        template.labels.insert("share".to_owned(), index.to_string());
        Share { template: template.into(), weight: *weight, max: *max }
    };
    weights.iter().enumerate().map(share).collect()
}

fn share_of(host: &skep_core::state::Host) -> &str {
    &host.template.labels["share"]
}

#[test]
fn hosts_are_spread_and_managers_go_round() {
    let mut cluster = cluster();
    let mut swarm = create_swarm("demo", 3, 27);
    swarm.shares = shares(&[(1, None), (4, None), (1, Some(3))]);
    cluster.accepted(request("swarm", Request::CreateSwarm(swarm)));
    let of = |share: &str, role: &str| {
        let hosts = cluster.state.hosts.values();
        hosts.filter(|host| share_of(host) == share && host.name.as_str().contains(role)).count()
    };
    assert_eq!(["0", "1", "2"].map(|share| of(share, "manager")), [1, 1, 1]);
    assert_eq!(["0", "1", "2"].map(|share| of(share, "demo")), [5, 22, 3]);
}

#[test]
fn shares_are_refused_by_their_place() {
    let wrong = |create: &mut CreateHosts| {
        create.shares = shares(&[(1, None), (1, None)]);
        create.shares[1].template = template("other", "other");
    };
    assert_eq!(field(&mut cluster(), with(wrong)), "spread.1.template.driver");
    let full = |create: &mut CreateHosts| create.shares = shares(&[(1, Some(1))]);
    assert_eq!(field(&mut cluster(), with(full)), "spread");
}

#[test]
fn the_largest_request_is_one_command() {
    let mut cluster = cluster();
    cluster.checked = false;
    cluster.accepted(request("large", with(|create| create.count = 100_000)));
    assert_eq!(cluster.state.hosts.len(), 100_000);
}

#[test]
fn a_taken_name_is_refused_whoever_has_it() {
    let mut cluster = cluster();
    cluster.accepted(request("first", Request::CreateHosts(create_hosts("web-2", 1))));
    assert_eq!(field(&mut cluster, with(|_| {})), "name");
    assert_eq!(code(&mut cluster, with(|_| {})), Code::AlreadyExists);
    cluster.accepted(request("swarm", Request::CreateSwarm(create_swarm("demo", 1, 0))));
    assert_eq!(field(&mut cluster, Request::CreateSwarm(create_swarm("demo", 1, 0))), "name");
    cluster.accepted(request("third", Request::CreateHosts(create_hosts("prod-worker-1", 1))));
    assert_eq!(field(&mut cluster, Request::CreateSwarm(create_swarm("prod", 1, 1))), "name");
}

#[test]
fn managers_are_odd_and_few() {
    for managers in [0, 2, 4, 6, 8, 9, 101] {
        assert_eq!(
            field(&mut cluster(), Request::CreateSwarm(create_swarm("demo", managers, 1))),
            "managers"
        );
    }
    for managers in [1, 3, 5, 7] {
        cluster().accepted(request("create", Request::CreateSwarm(create_swarm("demo", managers, 0))));
    }
}

#[test]
fn a_swarm_has_a_largest_size() {
    for workers in [100_000, u32::MAX] {
        assert_eq!(field(&mut cluster(), Request::CreateSwarm(create_swarm("demo", 1, workers))), "workers");
    }
}

#[test]
fn names_are_numbered_where_there_are_several() {
    let mut cluster = cluster();
    cluster.accepted(request("one", Request::CreateHosts(create_hosts("db", 1))));
    cluster.accepted(request("two", Request::CreateHosts(create_hosts("web", 2))));
    cluster.accepted(request("swarm", Request::CreateSwarm(create_swarm("demo", 1, 1))));
    let names: Vec<&str> = cluster.state.index.host_names.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["db", "demo-manager-1", "demo-worker-1", "web-1", "web-2"]);
}
