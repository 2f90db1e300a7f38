//! One watch of events: each later one once, in order.

use std::time::Duration;

use skep_core::State;
use skep_core::state::{Event, Subject};
use skep_proto::v1 as pb;
use skep_types::{ClusterTime, Refusal, limits};

use super::cursor::Cursor;
use crate::api::convert::event;
use crate::api::follow::{Look, Then, Watch};

/// Events looked at in one go: what is held for a client that reads slowly.
const BATCH: usize = 256;

#[derive(Debug)]
pub(super) struct EventWatch {
    /// Of the last event that was told or passed over.
    seen: Cursor,
    /// A name or an id; empty for all.
    subject: String,
    follow: bool,
}

impl EventWatch {
    pub(super) fn begin(from: pb::WatchEventsRequest, state: &State) -> Result<Self, Refusal> {
        if from.subject.len() > limits::TOKEN_BYTES {
            return Err(Refusal::field("subject", format!("is longer than {} bytes", limits::TOKEN_BYTES)));
        }
        let seen = begin(&from, state)?;
        Ok(Self { seen, subject: from.subject, follow: !from.no_follow })
    }

    fn wants(&self, event: &Event) -> bool {
        self.subject.is_empty() || event.name == self.subject || self.subject == id(event)
    }
}

fn begin(from: &pb::WatchEventsRequest, state: &State) -> Result<Cursor, Refusal> {
    let now = Cursor::at(state.now_revision());
    if from.after_revision.is_empty() {
        let beginning = from.history.then(|| Cursor::beginning(&state.events)).flatten();
        return Ok(beginning.unwrap_or(now));
    }
    if from.history {
        return Err(Refusal::field("history", "goes without after_revision only"));
    }
    let seen: Cursor =
        from.after_revision.parse().map_err(|error| Refusal::field("after_revision", error))?;
    if seen.revision > now.revision {
        let description =
            format!("is {seen}, but this cluster has only come to {now}; is it of another one?");
        return Err(Refusal::field("after_revision", description));
    }
    seen.next(&state.events)?;
    Ok(seen)
}

fn id(event: &Event) -> String {
    match event.subject {
        Subject::Host(id) => id.to_string(),
        Subject::Swarm(id) => id.to_string(),
        Subject::Operation(id) => id.to_string(),
        Subject::Cluster => String::new(),
    }
}

impl Watch for EventWatch {
    type Item = pb::Event;

    /// Every event is told, so nothing is won by waiting.
    const PACE: Duration = Duration::ZERO;

    fn look(&mut self, state: &State, now: ClusterTime) -> Result<Look<pb::Event>, Refusal> {
        let events = &state.events;
        let from = self.seen.next(events)?;
        let to = events.len().min(from + BATCH);
        let mut items = Vec::new();
        for at in from..to {
            let (Some(event), Some(cursor)) = (events.get(at), Cursor::of(events, at)) else { break };
            if self.wants(event) {
                items.push(event::write(event, cursor.to_string(), now));
            }
            self.seen = cursor;
        }
        let then = match (to < events.len(), self.follow) {
            (true, _) => Then::Again,
            (false, true) => Then::Wait,
            (false, false) => Then::End,
        };
        Ok(Look { items, then })
    }
}
