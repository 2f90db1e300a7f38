use skep_core::command::Request as Asked;
use skep_types::Phase;

use super::*;
use crate::api::fixture::Lab;

#[test]
fn an_operation_is_told_when_it_changes_and_ends_when_it_has_finished() {
    let mut lab = Lab::new();
    let id = lab.hosts("h", 1);
    let mut watch = OperationWatch { id, told: None };
    let look = |watch: &mut OperationWatch, lab: &Lab, later: u64| {
        watch.look(&lab.state, lab.state.time.after(Duration::from_secs(later))).unwrap()
    };
    let first = look(&mut watch, &lab, 0);
    assert_eq!((first.items[0].phases["Pending"], first.then), (1, Then::Wait));
    assert!(look(&mut watch, &lab, 1).items.is_empty(), "only its age changed");

    lab.set("h", |host| host.phase = Phase::Booting);
    assert_eq!(look(&mut watch, &lab, 1).items[0].phases["Booting"], 1);

    let hosts = vec![lab.host("h").id];
    lab.ask(Asked::DeleteHosts { hosts, force: false });
    let last = look(&mut watch, &lab, 1);
    assert_eq!((last.items[0].state.as_str(), last.then), ("Failed", Then::End));
}

#[test]
fn an_operation_that_is_forgotten_ends_its_watch_with_a_reason() {
    let lab = Lab::new();
    let mut watch = OperationWatch { id: OperationId::new(1, 99), told: None };
    assert_eq!(watch.look(&lab.state, lab.state.time).unwrap_err().code, skep_types::Code::NotFound);
}

#[test]
fn an_id_that_is_none_is_refused_with_an_example() {
    let refusal = read_id("web").unwrap_err();
    assert_eq!(refusal.violations[0].field, "operation");
    assert!(refusal.violations[0].description.contains("op1-42"));
}
