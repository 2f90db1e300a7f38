//! Why a host is where it is: what its planner answers for it, and what happened to it last.

use std::time::Duration;

use skep_core::State;
use skep_core::command::Advance;
use skep_core::plan::{Action, Step, View, next_step};
use skep_core::state::{Host, Subject};
use skep_proto::v1 as pb;
use skep_types::{ClusterTime, Phase, Refusal};

use super::names;
use crate::api::Api;
use crate::api::convert::{event, host};
use crate::kept;

/// For the driver to fetch a console: whoever asks waits.
const CONSOLE: Duration = Duration::from_secs(5);
const CONSOLE_BYTES: usize = 4 * 1024;
/// Newest events told.
const EVENTS: usize = 10;

impl Api {
    pub(super) async fn explain_host(&self, name: &str) -> Result<pb::Explanation, Refusal> {
        let (state, now) = self.read().await?;
        let host = names::host(&state, "host", name)?;
        let mut explanation = explain(host, &state, now);
        explanation.console = self.console(host).await.unwrap_or_default();
        Ok(explanation)
    }

    /// What a host that does not boot died of. None where the agent is there to ask, and where nobody can tell.
    async fn console(&self, host: &Host) -> Option<String> {
        let silent = host.session.is_none() && matches!(host.phase, Phase::Booting | Phase::Failed { .. });
        let instance = host.instance.as_ref().filter(|_| silent)?;
        let (accounts, account) = (&self.context.accounts, &host.template.account);
        let driver = accounts.looking(account).ok()?;
        if !driver.describe().console {
            return None;
        }
        let target = kept::target(&self.context.trust.sealer, instance);
        let asked = async {
            // An opening that takes longer goes on, for whoever asks next.
            accounts.ready_soon(account).await?;
            driver.console(self.context.cluster.as_str(), &target).await
        };
        let output = tokio::time::timeout(CONSOLE, asked).await.ok()?.ok()?;
        let from = (0..=output.len())
            .rev()
            .find(|at| output.is_char_boundary(*at) && output.len() - at >= CONSOLE_BYTES);
        Some(output[from.unwrap_or(0)..].to_owned())
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
        console: String::new(),
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
