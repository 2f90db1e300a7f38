//! The plans of a whole life as text: a swarm of three managers and two workers is made, loses a manager and a worker, and
//! goes. What changes here changes what skep does.

use skep_core::command::Request;

use crate::support::{DriverSpec, Faults, Fleet, create_swarm, delete_hosts, request};

#[test]
fn a_swarm_of_three_and_two() {
    let mut fleet = Fleet::new(DriverSpec::TOKEN, Faults::default(), 1);
    fleet.cluster.accepted(request("create", Request::CreateSwarm(create_swarm("s", 3, 2))));
    insta::assert_snapshot!("create", fleet.story());
    let going = vec![fleet.cluster.id("s-manager-1"), fleet.cluster.id("s-worker-2")];
    fleet.send(vec![delete_hosts("delete", going)]);
    insta::assert_snapshot!("delete_a_manager_and_a_worker", fleet.story());
    let swarm = fleet.cluster.swarm().id;
    fleet.cluster.accepted(request("end", Request::DeleteSwarm { swarm }));
    insta::assert_snapshot!("delete_the_swarm", fleet.story());
}
