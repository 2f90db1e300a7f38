//! Ten thousand hosts: nothing may cost the square of them.

use std::time::{Duration, Instant};

use skep_core::Changes;
use skep_core::command::Request;
use skep_core::plan::Plan;
use skep_types::{HostId, Phase};

use crate::support::place::settle;
use crate::support::{Cluster, DriverSpec, Faults, Fleet, create_hosts, create_swarm, delete_hosts, request};

const HOSTS: u32 = 10_000;
/// Measured at a tenth of this without optimisation; quadratic work takes minutes.
const BOUND: Duration = Duration::from_secs(60);

#[test]
fn ten_thousand_hosts_come_and_go() {
    let spec = DriverSpec { batch: 100, in_flight: 50, ..DriverSpec::TOKEN };
    let mut fleet = Fleet::new(spec, Faults::default(), 1);
    fleet.cluster.checked = false;
    let started = Instant::now();
    let create = fleet.cluster.accepted(request("create", Request::CreateHosts(create_hosts("web", HOSTS))));
    fleet.rest();
    assert_eq!(fleet.cluster.operation(create).done, HOSTS);
    assert!(fleet.cluster.state.hosts.values().all(|host| host.phase == Phase::Ready));
    let created = started.elapsed();
    let all: Vec<HostId> = fleet.cluster.state.hosts.keys().copied().collect();
    fleet.send(vec![delete_hosts("delete", all)]);
    fleet.rest();
    assert_eq!(fleet.cluster.state.hosts.len(), 0);
    assert_eq!(fleet.cloud.machines.len(), 0);
    let taken = started.elapsed();
    println!("created in {created:?}, gone after {taken:?}");
    assert!(taken < BOUND, "{taken:?}");
}

/// A change of one member costs a look at the swarm, not at what it has of everything.
#[test]
fn a_plan_for_a_swarm_of_ten_thousand_is_quick() {
    let mut cluster = Cluster::founded(DriverSpec::TOKEN);
    cluster.checked = false;
    cluster.accepted(request("create", Request::CreateSwarm(create_swarm("s", 3, HOSTS))));
    settle(&mut cluster);
    let started = Instant::now();
    for name in (1..=100).map(|number| format!("s-worker-{number}")) {
        let changes = Changes { hosts: [cluster.id(&name)].into(), ..Changes::default() };
        assert_eq!(cluster.view().plan(&changes), Plan::default());
    }
    let each = started.elapsed() / 100;
    println!("a plan takes {each:?}");
    assert!(each < Duration::from_millis(200), "{each:?}");
}
