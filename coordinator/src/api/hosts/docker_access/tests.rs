use skep_types::{ConditionKind, ConditionStatus};

use super::*;
use crate::api::fixture::{self, Lab, fields};

fn host_target(name: &str) -> Option<Target> {
    Some(Target::Host(name.to_owned()))
}

#[test]
fn a_ready_host_is_reached_at_its_address() {
    let mut lab = Lab::new();
    lab.hosts("h", 1);
    lab.ready("h");
    let counter = lab.host("h").id.counter;
    let door = door(&lab.state, host_target("h")).unwrap();
    assert_eq!(door, Door { host: "h".to_owned(), url: format!("tcp://10.1.0.{counter}:2376") });
    lab.set("h", |host| {
        host.instance.as_mut().unwrap().public_address = Some("fd00::7".parse().unwrap());
    });
    assert_eq!(super::door(&lab.state, host_target("h")).unwrap().url, "tcp://[fd00::7]:2376");
}

#[test]
fn a_host_that_cannot_be_reached_says_why() {
    let mut lab = Lab::new();
    lab.hosts("h", 1);
    let refusal = |lab: &Lab| door(&lab.state, host_target("h")).unwrap_err();
    assert_eq!(refusal(&lab).code, Code::Precondition);
    assert_eq!(refusal(&lab).message, "h is Pending: its engine is not there yet; wait until it is Ready");
    lab.ready("h");
    lab.set("h", |host| host.phase = Phase::Stopped);
    assert_eq!(refusal(&lab).message, "h is Stopped: start it first");
    lab.set("h", |host| {
        host.phase = Phase::Ready;
        host.instance = None;
    });
    assert_eq!(refusal(&lab).message, "h is Ready: it has no address");
}

#[test]
fn a_swarm_is_reached_at_a_manager_that_serves() {
    let mut lab = Lab::new();
    lab.swarm("demo", 3, 1);
    let target = || Some(Target::Swarm("demo".to_owned()));
    assert_eq!(door(&lab.state, target()).unwrap_err().code, Code::Precondition);
    for name in ["demo-manager-1", "demo-manager-2", "demo-manager-3", "demo-worker-1"] {
        lab.ready(name);
    }
    lab.set_swarm("demo", |swarm| {
        for number in 1..=3 {
            let node = format!("node-demo-manager-{number}").parse().unwrap();
            swarm.nodes.insert(node, fixture::node(NodeRole::Manager, number == 1));
        }
    });
    assert_eq!(door(&lab.state, target()).unwrap().host, "demo-manager-1");

    // The first is no longer heard of, the second no longer reached by the others.
    let now = lab.state.time;
    lab.set("demo-manager-1", |host| {
        host.conditions.set(ConditionKind::AgentConnected, ConditionStatus::False, "Silent", "", now);
    });
    lab.set_swarm("demo", |swarm| {
        swarm.nodes.get_mut(&"node-demo-manager-2".parse().unwrap()).unwrap().reachable = false;
    });
    assert_eq!(door(&lab.state, target()).unwrap().host, "demo-manager-3");
}

#[test]
fn what_is_not_there_is_named() {
    let lab = Lab::new();
    assert_eq!(fields(&door(&lab.state, None).unwrap_err()), ["target"]);
    let unknown = door(&lab.state, host_target("nobody")).unwrap_err();
    assert_eq!((unknown.code, fields(&unknown)), (Code::NotFound, vec!["host"]));
    assert_eq!(fields(&door(&lab.state, host_target("")).unwrap_err()), ["host"]);
    let unknown = door(&lab.state, Some(Target::Swarm("none".to_owned()))).unwrap_err();
    assert_eq!((unknown.code, fields(&unknown)), (Code::NotFound, vec!["swarm"]));
}
