//! What the hosts of an open intent say that they wait for, while no call succeeds.

use std::sync::{Mutex, PoisonError};

use skep_core::State;
use skep_core::command::OutcomeCommand;
use skep_core::state::{Host, Intent};
use skep_driver::DriverError;
use skep_types::{ConditionKind, chain};
use tokio::time::{Duration, Instant};

use super::call::Caller;

/// What passes sooner is nobody's concern.
const CONCERN: Duration = Duration::from_secs(5);
/// Between two things that are said of one call: its errors may differ each time.
const PAUSE: Duration = Duration::from_secs(30);

/// What was said last.
#[derive(Debug, Default)]
pub(super) struct Said(Mutex<Saying>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Saying {
    #[default]
    Nothing,
    /// Why the account cannot be opened.
    Account(String),
    /// Why its provider does not answer a call.
    Call(String),
}

impl Said {
    /// Whether it is new.
    fn replace(&self, saying: Saying) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = *said != saying;
        *said = saying;
        new
    }

    fn last(&self) -> Saying {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Caller {
    /// Says why the account cannot be used, once.
    pub(super) async fn account_unusable(&self, intent: &Intent, error: &DriverError) {
        let problem = chain(error);
        if self.said.replace(Saying::Account(problem.clone())) {
            tracing::warn!(account = %intent.account, problem, "the account cannot be used");
            self.propose(vec![self.hold(intent, Some(problem))]).await;
        }
    }

    /// Also what an owner before this one has said is over.
    pub(super) async fn account_usable(&self, intent: &Intent) {
        let over = match self.said.last() {
            Saying::Nothing => held(&self.context.raft.state(), intent),
            Saying::Account(_) => true,
            Saying::Call(_) => false,
        };
        if over {
            self.said.replace(Saying::Nothing);
            self.propose(vec![self.hold(intent, None)]).await;
        }
    }

    pub(super) async fn panicked(&self, intent: &Intent) {
        let id = self.context.id;
        let problem =
            format!("the driver's code panicked, as the log of coordinator {id} says; it is called again");
        if self.said.replace(Saying::Call(problem.clone())) {
            self.propose(vec![self.hold(intent, Some(problem))]).await;
        }
    }

    /// The outcomes that close the intent: its hosts wait for nothing any more.
    pub(super) async fn close(&self, intent: &Intent, mut outcomes: Vec<OutcomeCommand>) {
        if self.said.last() != Saying::Nothing || held(&self.context.raft.state(), intent) {
            outcomes.insert(0, self.hold(intent, None));
        }
        self.propose(outcomes).await;
    }

    fn hold(&self, intent: &Intent, problem: Option<String>) -> OutcomeCommand {
        OutcomeCommand::Hold { intent: intent.id, epoch: self.epoch, problem }
    }
}

/// The failures of one call in a row.
#[derive(Debug, Default)]
pub(super) struct Failures {
    first: Option<Instant>,
    said: Option<Instant>,
}

impl Failures {
    /// Says why the call is made again, when that has gone on for a while.
    pub(super) async fn note(&mut self, caller: &Caller, intent: &Intent, error: &DriverError) {
        if self.is_due(Instant::now()) {
            let problem = format!("a call is made again until it is answered: {}", chain(error));
            if caller.said.replace(Saying::Call(problem.clone())) {
                caller.propose(vec![caller.hold(intent, Some(problem))]).await;
            }
        }
    }

    fn is_due(&mut self, now: Instant) -> bool {
        let since_first = now.duration_since(*self.first.get_or_insert(now));
        let due = since_first >= CONCERN && self.said.is_none_or(|said| now.duration_since(said) >= PAUSE);
        if due {
            self.said = Some(now);
        }
        due
    }
}

/// Whether a host of the intent says what it waits for.
fn held(state: &State, intent: &Intent) -> bool {
    let held = |host: &Host| {
        let ready = host.conditions.get(ConditionKind::InstanceReady);
        ready.is_some_and(|condition| condition.reason == Host::ACCOUNT_UNUSABLE)
    };
    intent.hosts().into_iter().filter_map(|id| state.host(id)).any(|host| held(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_said_and_not_too_often() {
        let mut failures = Failures::default();
        let start = Instant::now();
        let said: Vec<u64> =
            (0..70).filter(|second| failures.is_due(start + Duration::from_secs(*second))).collect();
        assert_eq!(said, [5, 35, 65]);
    }
}
