use skep_core::command::Request;
use skep_types::PersonRole;

use super::*;
use crate::api::fixture::{Lab, create_hosts};

fn planned(lab: &mut Lab, request: Request) -> Result<pb::Operation, Refusal> {
    let before = lab.state.clone();
    let command = lab.command(request);
    let planned = plan(&lab.state, lab.state.time, command);
    assert_eq!(lab.state, before, "a dry run changes nothing");
    planned
}

fn lines_of(lab: &mut Lab, request: Request) -> Vec<String> {
    let planned = planned(lab, request).unwrap();
    assert_eq!((planned.id.as_str(), planned.revision.as_str()), ("", ""));
    planned.plan
}

fn ids(lab: &Lab, names: &[&str]) -> Vec<skep_types::HostId> {
    names.iter().map(|name| lab.host(name).id).collect()
}

#[test]
fn creating_names_every_host() {
    let mut lab = Lab::new();
    let plan = lines_of(&mut lab, Request::CreateHosts(create_hosts("web", 3)));
    assert_eq!(
        plan,
        [
            "create host web-1 (driver lab)",
            "create host web-2 (driver lab)",
            "create host web-3 (driver lab)",
        ]
    );
    let swarm = skep_core::command::CreateSwarm {
        shares: create_hosts("x", 1).shares,
        name: "demo".parse().unwrap(),
        managers: 1,
        workers: 1,
        policy: skep_types::Policy::AllOrNothing,
        on_failure: skep_types::OnFailure::Keep,
    };
    assert_eq!(
        lines_of(&mut lab, Request::CreateSwarm(swarm)),
        [
            "create swarm demo of 1 managers and 1 workers",
            "create host demo-manager-1 (driver lab, manager)",
            "create host demo-worker-1 (driver lab, worker)",
        ]
    );
}

#[test]
fn a_long_plan_is_cut_and_says_so() {
    let mut lab = Lab::new();
    let plan = lines_of(&mut lab, Request::CreateHosts(create_hosts("web", 10_005)));
    assert_eq!(plan.len(), LINES + 1);
    assert_eq!(plan[LINES], "and 5 more");
}

#[test]
fn deleting_names_what_goes_and_which_operations_it_takes_over_from() {
    let mut lab = Lab::new();
    let made_by = lab.hosts("web", 2);
    let hosts = ids(&lab, &["web-2"]);
    assert_eq!(
        lines_of(&mut lab, Request::DeleteHosts { hosts: hosts.clone(), force: false }),
        ["delete host web-2".to_owned(), format!("take over from operation {made_by}"),]
    );
    lab.ask(Request::DeleteHosts { hosts: hosts.clone(), force: false });
    let again = lines_of(&mut lab, Request::DeleteHosts { hosts, force: false });
    assert!(!again.iter().any(|line| line.starts_with("delete")), "{again:?}");
}

#[test]
fn deleting_a_swarm_names_its_hosts() {
    let mut lab = Lab::new();
    let made_by = lab.swarm("demo", 1, 1);
    let swarm = lab.state.find_swarm("demo").unwrap().id;
    assert_eq!(
        lines_of(&mut lab, Request::DeleteSwarm { swarm }),
        [
            "delete swarm demo".to_owned(),
            "delete host demo-manager-1".to_owned(),
            "delete host demo-worker-1".to_owned(),
            format!("take over from operation {made_by}"),
        ]
    );
}

#[test]
fn power_names_the_verb_and_passes_over_what_is_there_already() {
    let mut lab = Lab::new();
    let made_by = lab.hosts("web", 2);
    lab.state.operations.remove(&made_by);
    lab.ready("web-1");
    lab.ready("web-2");
    lab.set("web-1", |host| host.item_of = None);
    lab.set("web-2", |host| {
        host.item_of = None;
        host.phase = skep_types::Phase::Stopped;
    });
    let hosts = ids(&lab, &["web-1", "web-2"]);
    let stop = Request::PowerHosts { hosts: hosts.clone(), action: PowerAction::Stop };
    assert_eq!(lines_of(&mut lab, stop), ["stop host web-1"]);
    let restart = Request::PowerHosts { hosts, action: PowerAction::Restart };
    assert_eq!(lines_of(&mut lab, restart), ["restart host web-1", "restart host web-2"]);
}

#[test]
fn people_tokens_and_coordinators() {
    let mut lab = Lab::new();
    let name: skep_types::PersonName = "otto".parse().unwrap();
    let put =
        |role, dismiss_certificates| Request::PutPerson { name: name.clone(), role, dismiss_certificates };
    assert_eq!(lines_of(&mut lab, put(PersonRole::Operator, false)), ["make otto operator"]);
    lab.person("otto", PersonRole::Operator);
    let change = put(PersonRole::Viewer, true);
    assert_eq!(
        lines_of(&mut lab, change),
        ["change otto from operator to viewer", "dismiss the certificates of otto",]
    );
    assert_eq!(lines_of(&mut lab, Request::RemovePerson { name: name.clone() }), ["remove person otto"]);
    let expires_at = lab.state.time.after(std::time::Duration::from_secs(900));
    let token = Request::CreateJoinToken { token: skep_types::Digest([7; 32]), expires_at };
    assert_eq!(lines_of(&mut lab, token), ["make a join token for 900 s"]);
}

#[test]
fn what_would_be_refused_is_refused() {
    let mut lab = Lab::new();
    lab.hosts("web", 1);
    let refusal = planned(&mut lab, Request::CreateHosts(create_hosts("web", 1))).unwrap_err();
    assert_eq!(refusal.code, Code::AlreadyExists);
    assert_eq!(refusal.violations[0].field, "name");
    let remove = Request::RemoveCoordinator { coordinator: skep_types::CoordinatorId(1) };
    assert_eq!(planned(&mut lab, remove).unwrap_err().code, Code::Precondition);
}

#[test]
fn what_was_done_before_would_not_be_done_again() {
    let mut lab = Lab::new();
    let command = lab.command(Request::CreateHosts(create_hosts("web", 1)));
    let done = match lab.apply(Command::Request(command.clone())) {
        Reply::Accepted(operation) => operation,
        reply => panic!("{reply:?}"),
    };
    let planned = plan(&lab.state, lab.state.time, command).unwrap();
    assert_eq!(planned.plan, [format!("nothing: {done} did this before")]);
}
