use std::time::Duration;

use skep_types::Phase;

use super::*;
use crate::api::fixture::Lab;

#[test]
fn a_wait_is_told_with_its_reason_and_its_deadline() {
    let mut lab = Lab::new();
    lab.hosts("h", 1);
    let now = lab.state.time;
    lab.set("h", |host| {
        host.phase = Phase::Booting;
        host.phase_since = now;
    });
    let told = explain(lab.host("h"), &lab.state, now.after(Duration::from_secs(60)));
    assert_eq!((told.step.as_str(), told.reason.as_str()), ("wait", "Enrolment"));
    assert_eq!(told.deadline_ms, 14 * 60 * 1_000);
    assert!(told.message.contains("its agent has not called yet"));
    assert_eq!(told.host.unwrap().name, "h");
}

#[test]
fn a_host_at_rest_is_done_and_one_that_can_go_on_acts() {
    let mut lab = Lab::new();
    lab.hosts("h", 1);
    lab.ready("h");
    assert_eq!(explain(lab.host("h"), &lab.state, lab.state.time).step, "done");
    lab.set("h", |host| host.desired.absent = true);
    let told = explain(lab.host("h"), &lab.state, lab.state.time);
    assert_eq!((told.step.as_str(), told.reason.as_str()), ("act", "Deleting"));
}

#[test]
fn the_last_events_of_the_host_alone_are_told_oldest_first() {
    let mut lab = Lab::new();
    lab.hosts("h", 2);
    let (own, other) = (lab.host("h-1").id, lab.host("h-2").id);
    for number in 0..15 {
        for host in [own, other] {
            lab.state.events.push_back(std::sync::Arc::new(skep_core::state::Event {
                revision: lab.state.now_revision(),
                at: lab.state.time,
                subject: Subject::Host(host),
                name: "h".to_owned(),
                reason: format!("Step{number}"),
                message: if number == 14 { "the last".to_owned() } else { String::new() },
            }));
        }
    }
    let told = explain(lab.host("h-1"), &lab.state, lab.state.time.after(Duration::from_secs(3)));
    assert_eq!(told.events.len(), 10);
    assert_eq!(told.events[0], "3 s ago: Step5");
    assert_eq!(told.events[9], "3 s ago: Step14: the last");
}
