use std::sync::Arc;

use skep_core::state::{AuditRecord, Event, Subject};
use skep_types::{Digest, HostId};

use super::cursor::Cursor;
use super::*;
use crate::api::fixture::{Lab, fields};
use crate::api::follow::{Look, Then, Watch};

/// Events at these revisions, one each; the state's own revision is the last.
fn history(revisions: &[u64]) -> State {
    let event = |at: (usize, &u64)| {
        Arc::new(Event {
            revision: Revision::new(1, *at.1),
            at: ClusterTime(0),
            subject: Subject::Host(HostId::new(1, at.0 as u64 % 2)),
            name: format!("host-{}", at.0 % 2),
            reason: "Ready".to_owned(),
            message: at.0.to_string(),
        })
    };
    State {
        epoch: 1,
        revision: revisions.last().copied().unwrap_or(0),
        events: revisions.iter().enumerate().map(event).collect(),
        ..State::default()
    }
}

fn asked(after: &str) -> pb::WatchEventsRequest {
    pb::WatchEventsRequest { after_revision: after.to_owned(), no_follow: true, ..Default::default() }
}

/// All that a watch tells until it ends or has to wait.
fn told(request: pb::WatchEventsRequest, state: &State) -> Vec<pb::Event> {
    let mut watch = EventWatch::begin(request, state).unwrap();
    drain(&mut watch, state)
}

fn drain(watch: &mut EventWatch, state: &State) -> Vec<pb::Event> {
    let mut events = Vec::new();
    loop {
        let Look { items, then } = watch.look(state, ClusterTime(0)).unwrap();
        events.extend(items);
        if then != Then::Again {
            return events;
        }
    }
}

fn messages(events: &[pb::Event]) -> Vec<usize> {
    events.iter().map(|event| event.message.parse().unwrap()).collect()
}

/// A client that loses its connection after any event and comes back with that event's revision misses none and sees
/// none twice, also where several have the same revision.
#[test]
fn a_watch_resumed_after_any_event_tells_each_later_one_once() {
    let state = history(&[3, 5, 5, 5, 8, 9, 9]);
    let all = told(pb::WatchEventsRequest { history: true, ..asked("") }, &state);
    assert_eq!(messages(&all), [0, 1, 2, 3, 4, 5, 6]);
    for (at, event) in all.iter().enumerate() {
        let rest = told(asked(&event.revision), &state);
        assert_eq!(messages(&rest), (at + 1..7).collect::<Vec<_>>(), "after {}", event.revision);
    }
    assert_eq!(all[3].revision, "r1-5");
    assert_eq!(all[1].revision, "r1-5.2");
}

#[test]
fn a_watch_from_a_revision_without_events_of_its_own_tells_the_later_ones() {
    let state = history(&[3, 5, 9]);
    assert_eq!(messages(&told(asked("r1-4"), &state)), [1, 2]);
    assert_eq!(messages(&told(asked("r1-1"), &state)), [0, 1, 2], "nothing was dropped yet");
    assert_eq!(messages(&told(asked(""), &state)), Vec::<usize>::new());
}

#[test]
fn a_watch_goes_on_with_what_comes_later() {
    let mut watch =
        EventWatch::begin(pb::WatchEventsRequest { no_follow: false, ..asked("") }, &history(&[3])).unwrap();
    assert_eq!(drain(&mut watch, &history(&[3])).len(), 0);
    assert_eq!(messages(&drain(&mut watch, &history(&[3, 4, 4]))), [1, 2]);
    assert_eq!(drain(&mut watch, &history(&[3, 4, 4])).len(), 0);
    assert_eq!(messages(&drain(&mut watch, &history(&[3, 4, 4, 6]))), [3]);
}

#[test]
fn a_watch_of_one_subject_passes_over_the_others() {
    let state = history(&[1, 2, 3, 4]);
    let by = |subject: &str| {
        let subject = subject.to_owned();
        messages(&told(pb::WatchEventsRequest { subject, history: true, ..asked("") }, &state))
    };
    assert_eq!(by("host-1"), [1, 3]);
    assert_eq!(by("h1-0"), [0, 2]);
    assert_eq!(by("host-7"), Vec::<usize>::new());
}

#[test]
fn many_events_come_in_bounded_looks() {
    let revisions: Vec<u64> = (1..=1_000).collect();
    let state = history(&revisions);
    let mut watch = EventWatch::begin(pb::WatchEventsRequest { history: true, ..asked("") }, &state).unwrap();
    let first = watch.look(&state, ClusterTime(0)).unwrap();
    assert_eq!((first.items.len(), first.then), (256, Then::Again));
    assert_eq!(drain(&mut watch, &state).len(), 744);
}

#[test]
fn what_is_no_longer_kept_whole_is_compacted() {
    let kept = u64::try_from(limits::EVENTS_KEPT).unwrap();
    // Revision 100 had three events, of which the first was dropped.
    let revisions: Vec<u64> = [100, 100].into_iter().chain(101..101 + kept - 2).collect();
    let state = history(&revisions);
    let next = |cursor: &str| cursor.parse::<Cursor>().unwrap().next(&state.events);
    assert_eq!(next("r1-99").unwrap_err().code, Code::Compacted);
    assert_eq!(next("r1-100.2"), Ok(0), "its own event is gone, those after it are not");
    assert_eq!(next("r1-100.1"), Ok(1));
    assert_eq!(next("r1-100"), Ok(2));
    let lost = next("r1-100.3").unwrap_err();
    assert!(lost.message.contains("compacted"), "{lost}");
}

#[test]
fn a_slow_watch_that_lost_events_says_so() {
    let mut watch =
        EventWatch::begin(pb::WatchEventsRequest { no_follow: false, ..asked("") }, &history(&[3])).unwrap();
    let kept = u64::try_from(limits::EVENTS_KEPT).unwrap();
    let revisions: Vec<u64> = (1_000..1_000 + kept).collect();
    assert_eq!(watch.look(&history(&revisions), ClusterTime(0)).unwrap_err().code, Code::Compacted);
}

#[test]
fn what_cannot_be_watched_is_refused_by_field() {
    let state = history(&[3]);
    let refused = |request| {
        let refusal = EventWatch::begin(request, &state).unwrap_err();
        assert_eq!(refusal.code, Code::Invalid);
        fields(&refusal)[0].to_owned()
    };
    assert_eq!(refused(asked("r1-4")), "after_revision");
    assert_eq!(refused(asked("r2-1")), "after_revision");
    assert_eq!(refused(asked("yesterday")), "after_revision");
    assert_eq!(refused(asked("r1-3.x")), "after_revision");
    assert_eq!(refused(pb::WatchEventsRequest { history: true, ..asked("r1-3") }), "history");
    assert_eq!(refused(pb::WatchEventsRequest { subject: "x".repeat(200), ..asked("") }), "subject");
}

#[test]
fn the_audit_trail_comes_in_pages_oldest_first() {
    let mut lab = Lab::new();
    for name in ["a", "b", "c"] {
        lab.hosts(name, 1);
    }
    let first = audit(&lab.state, &Page::read(2, "").unwrap(), lab.state.time).unwrap();
    let ids = |reply: &pb::AuditReply| reply.records.iter().map(|r| r.request_id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&first), ["request-1", "request-2"]);
    let second = audit(&lab.state, &Page::read(2, &first.next_page_token).unwrap(), lab.state.time).unwrap();
    assert_eq!(ids(&second), ["request-3"]);
    assert_eq!(second.next_page_token, "");
}

#[test]
fn a_page_of_the_audit_trail_that_was_dropped_is_no_silent_gap() {
    let mut lab = Lab::new();
    lab.hosts("a", 1);
    let page = audit(&lab.state, &Page::read(1, "").unwrap(), lab.state.time).unwrap();
    assert_eq!(page.next_page_token, "", "all of it");
    let record = |revision| AuditRecord {
        revision: Revision::new(1, revision),
        body: Digest([0; 32]),
        ..AuditRecord::clone(&lab.state.audit[0])
    };
    let token = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, "r1-5");
    let kept = u64::try_from(limits::EVENTS_KEPT).unwrap();
    lab.state.audit = (100..100 + kept).map(|revision| Arc::new(record(revision))).collect();
    let refusal = audit(&lab.state, &Page::read(1, &token).unwrap(), lab.state.time).unwrap_err();
    assert_eq!(refusal.code, Code::Compacted);
}
