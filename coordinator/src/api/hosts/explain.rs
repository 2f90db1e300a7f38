//! Why a host is where it is: what its planner answers for it, and what happened to it last.

use skep_core::State;
use skep_core::command::Advance;
use skep_core::plan::{Action, Step, View, next_step};
use skep_core::state::{Host, Subject};
use skep_proto::v1 as pb;
use skep_types::{ClusterTime, Refusal};

use super::names;
use crate::api::Api;
use crate::api::convert::{event, host};

/// Newest events told.
const EVENTS: usize = 10;

impl Api {
    pub(super) async fn explain_host(&self, name: &str) -> Result<pb::Explanation, Refusal> {
        let (state, now) = self.read().await?;
        Ok(explain(names::host(&state, "host", name)?, &state, now))
    }
}

fn explain(host: &Host, state: &State, now: ClusterTime) -> pb::Explanation {
    let mut explanation = step(next_step(host, &View { state, now }), now);
    let mut events: Vec<String> = state
        .events
        .iter()
        .rev()
        .filter(|event| event.subject == Subject::Host(host.id))
        .take(EVENTS)
        .map(|event| event::line(event, now))
        .collect();
    events.reverse();
    explanation.events = events;
    explanation.host = Some(host::write(host, state, now));
    explanation
}

fn step(step: Step, now: ClusterTime) -> pb::Explanation {
    let (step, reason, message, deadline_ms) = match step {
        Step::Wait { reason, until } => {
            let deadline = until.map_or(0, |until| until.since(now).as_millis());
            ("wait", reason.label(), reason.to_string(), u64::try_from(deadline).unwrap_or(u64::MAX))
        }
        Step::Do(Action::Advance(to, why)) => ("act", label(&to), why, 0),
        Step::Do(Action::Grant(task)) => ("act", task.label(), "the agent is given a permit".to_owned(), 0),
        Step::Done => ("done", "AsWanted", "the host is where it should be".to_owned(), 0),
    };
    pb::Explanation {
        host: None,
        step: step.to_owned(),
        reason: reason.to_owned(),
        message,
        deadline_ms,
        events: Vec::new(),
    }
}

fn label(to: &Advance) -> &'static str {
    match to {
        Advance::Joining => "Joining",
        Advance::Ready => "Ready",
        Advance::Stopped => "Stopped",
        Advance::Demoting => "Demoting",
        Advance::Leaving => "Leaving",
        Advance::Deleting => "Deleting",
        Advance::Deleted => "Deleted",
        Advance::Failed { .. } => "Failed",
        Advance::Quarantined => "Quarantined",
    }
}

#[cfg(test)]
mod tests;
