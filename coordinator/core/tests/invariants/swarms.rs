//! 10 and 11: one swarm, its managers, and one node per host.

use skep_core::Command;
use skep_core::command::{AgentCommand, Observation, Observed, Request};
use skep_types::{HostId, NodeRole, Phase};

use crate::support::place::{connect, node_of, permit, settled_swarm};
use crate::support::{DriverSpec, Faults, Fleet, create_swarm, delete_hosts, request};

/// Ours as the engines have them: (role, acts as a manager, labelled), and how many foreign ones.
fn nodes(fleet: &Fleet) -> (Vec<(NodeRole, bool, bool)>, usize) {
    let all = || fleet.docker.swarms.values().flat_map(|swarm| swarm.nodes.values());
    let mut ours: Vec<_> = all()
        .filter(|node| node.engine.is_some())
        .map(|node| (node.role, node.manager, node.labelled))
        .collect();
    ours.sort();
    (ours, all().filter(|node| node.engine.is_none()).count())
}

fn wanted(managers: usize, workers: usize) -> Vec<(NodeRole, bool, bool)> {
    let managers = std::iter::repeat_n((NodeRole::Manager, true, true), managers);
    managers.chain(std::iter::repeat_n((NodeRole::Worker, false, true), workers)).collect()
}

/// The simulated engines refuse a second init, a second node for one host, and two changes of managers at once.
#[test]
fn invariant_10_and_11_every_host_is_one_node_as_wanted() {
    for (seed, managers) in (0..40).zip([1, 3, 5].into_iter().cycle()) {
        let mut fleet = Fleet::new(DriverSpec::TOKEN, Faults::PASSING, seed);
        fleet.cluster.accepted(request("create", Request::CreateSwarm(create_swarm("s", managers, 4))));
        fleet.rounds(80);
        fleet.rest();
        assert!(fleet.cluster.state.hosts.values().all(|host| host.phase == Phase::Ready), "seed {seed}");
        assert_eq!(nodes(&fleet), (wanted(managers as usize, 4), 1), "seed {seed}");
    }
}

#[test]
fn invariant_11_a_deleted_host_has_no_node_and_foreign_ones_stay() {
    for seed in 0..40 {
        let mut fleet = Fleet::new(DriverSpec::TOKEN, Faults::PASSING, seed);
        fleet.cluster.accepted(request("create", Request::CreateSwarm(create_swarm("s", 5, 3))));
        fleet.rest();
        fleet.faults = Faults::PASSING;
        let going = ["s-manager-1", "s-manager-4", "s-worker-2"].map(|name| fleet.cluster.id(name));
        if seed % 2 == 0 {
            fleet.lose_agent(going[0]);
        }
        fleet.send(vec![delete_hosts("delete", going.to_vec())]);
        fleet.rounds(60);
        fleet.rest();
        assert_eq!(nodes(&fleet), (wanted(3, 2), 1), "seed {seed}");
        assert!(fleet.cluster.swarm().ghosts.is_empty(), "seed {seed}");
    }
}

/// What a worker says about the swarm, or an agent about another host's node, is no authority.
#[test]
fn invariant_11_nobody_takes_another_hosts_node() {
    let mut cluster = settled_swarm(3, 1);
    let theirs = node_of(cluster.id("s-manager-2"));
    cluster.with_host("s-worker-1", |host| {
        host.phase = Phase::Joining;
        host.node = None;
        connect(host, 1, 0);
    });
    let host: HostId = cluster.id("s-worker-1");
    let observed = Observed::LocalNode { node: Some(theirs.clone()) };
    let observation = Observation { host, session_number: 1, observed };
    cluster.one(Command::Agent(AgentCommand::Observe(vec![observation])));
    assert_eq!(cluster.host("s-worker-1").node, None);
    cluster.with_host("s-worker-1", |host| host.permit = Some(permit(crate::support::place::join_task())));
    let permit = cluster.host("s-worker-1").permit.as_ref().unwrap().id;
    let node = Some(theirs);
    let result = skep_core::command::PermitResult::Done { node, swarm_id: None, sealed_worker_token: None };
    cluster.one(Command::Agent(AgentCommand::Permit { host, permit, result }));
    assert_eq!(cluster.host("s-worker-1").node, None);
}
