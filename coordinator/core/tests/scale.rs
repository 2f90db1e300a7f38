//! Ten thousand hosts: nothing may cost the square of them.

use std::time::{Duration, Instant};

use skep_core::command::Request;
use skep_types::{HostId, Phase};

use crate::support::{DriverSpec, Faults, Fleet, create_hosts, delete_hosts, request};

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
