//! Every state of the engine against every history of a permit.

use super::*;
use crate::engine::Join;
use skep_types::Secret;

const HISTORIES: [History; 3] = [History::New, History::Begun, History::Acted { failure: None }];

fn init_work() -> Work {
    Work::Init { advertise: [10, 0, 0, 1].into() }
}

fn join_work() -> Work {
    let join = Join {
        managers: vec!["10.0.0.1:2377".to_owned()],
        token: Secret::new("t"),
        advertise: [10, 0, 0, 2].into(),
    };
    Work::Join { join, swarm_id: "ours".to_owned() }
}

fn node(state: LocalState, swarm_id: &str, manager: bool) -> LocalNode {
    LocalNode {
        state,
        node_id: "n1".to_owned(),
        swarm_id: swarm_id.to_owned(),
        manager,
        error: String::new(),
    }
}

fn failed() -> History {
    History::Acted { failure: Some("refused".to_owned()) }
}

fn not_done(step: &Step) -> bool {
    matches!(step, Step::Finish(Outcome::NotDone { .. }))
}

#[test]
fn an_idle_engine_is_acted_on_once() {
    let idle = node(LocalState::Inactive, "", false);
    for work in [init_work(), join_work()] {
        assert_eq!(decide(&work, &idle, "", &History::New), Step::Act);
        assert_eq!(decide(&work, &idle, "", &History::Begun), Step::Act);
        assert!(not_done(&decide(&work, &idle, "", &failed())));
        assert!(not_done(&decide(&work, &idle, "", &History::Acted { failure: None })));
    }
}

#[test]
fn a_pending_join_is_never_joined_on_top() {
    let pending = node(LocalState::Pending, "", false);
    for history in HISTORIES.into_iter().chain([failed()]) {
        assert!(matches!(decide(&join_work(), &pending, "", &history), Step::Wait(_)), "{history:?}");
    }
}

#[test]
fn a_node_of_the_wanted_swarm_has_joined_whatever_the_call_answered() {
    let told = node(LocalState::Active, "ours", true);
    let untold = node(LocalState::Active, "", false);
    for history in HISTORIES.into_iter().chain([failed()]) {
        assert_eq!(decide(&join_work(), &told, "", &history), Step::Complete(told.clone()));
        assert_eq!(decide(&join_work(), &untold, "ours", &history), Step::Complete(untold.clone()));
    }
}

#[test]
fn a_node_of_another_swarm_is_left_alone() {
    for history in HISTORIES.into_iter().chain([failed()]) {
        assert!(not_done(&decide(&join_work(), &node(LocalState::Active, "theirs", true), "ours", &history)));
        assert!(not_done(&decide(&join_work(), &node(LocalState::Active, "", false), "", &history)));
    }
    let theirs = node(LocalState::Active, "theirs", true);
    assert!(not_done(&decide(&init_work(), &theirs, "", &History::New)));
}

#[test]
fn an_init_that_a_crash_hid_is_found() {
    let manager = node(LocalState::Active, "new", true);
    assert_eq!(decide(&init_work(), &manager, "", &History::Begun), Step::Complete(manager.clone()));
    assert_eq!(decide(&init_work(), &manager, "", &failed()), Step::Complete(manager.clone()));
}

#[test]
fn having_left_is_seen_by_the_state_alone() {
    let leave = Work::Leave { force: false };
    let (idle, active) = (node(LocalState::Inactive, "", false), node(LocalState::Active, "ours", true));
    for history in HISTORIES.into_iter().chain([failed()]) {
        assert_eq!(decide(&leave, &idle, "", &history), Step::Finish(Outcome::Done(Done::default())));
    }
    assert_eq!(decide(&leave, &active, "", &History::New), Step::Act);
    assert_eq!(decide(&leave, &active, "", &History::Begun), Step::Act);
    assert!(not_done(&decide(&leave, &active, "", &failed())));
}

#[test]
fn work_on_other_nodes_is_done_again_after_a_crash() {
    let remove = Work::RemoveNodes { node_ids: vec!["n2".to_owned()], force: true };
    let any = LocalNode::default();
    assert_eq!(decide(&remove, &any, "", &History::New), Step::Act);
    assert_eq!(decide(&remove, &any, "", &History::Begun), Step::Act);
    assert!(not_done(&decide(&remove, &any, "", &failed())));
}
