//! Creates that nothing protects from a second call: there is one, and then only questions.

use std::time::Duration;

use skep_core::command::{OutcomeCommand, Reply};
use skep_core::state::Intent;
use skep_driver::{CreateIntent, DriverError, ErrorKind};
use skep_types::chain;

use super::outcome::{bind, known};
use super::{finish, finish_without, look};
use crate::owner::call::{Caller, lasting};
use crate::owner::pause::{self, wait};
use crate::owner::waiting::Failures;

/// A driver may give up a create that nobody asks for any more.
const ASKING_PAUSE_MAX: Duration = Duration::from_secs(4);

/// Nothing protects a second call: it is committed that one is made.
pub(super) async fn attempt_once(caller: &Caller, intent: &Intent, call: &CreateIntent) {
    let attempt = uuid::Uuid::now_v7().as_u64_pair().1;
    let mark = OutcomeCommand::MarkAttempted { intent: intent.id, epoch: caller.epoch, attempt };
    let marked = caller.propose(vec![mark]).await;
    if marked.first() != Some(&Reply::Done) {
        // What the coordinator before this one had begun may end later than it.
        tokio::time::sleep(caller.driver(intent).await.describe().settle).await;
        let lost =
            DriverError::new(ErrorKind::Ambiguous, "the attempt was lost with the coordinator that made it");
        return ask_for_lost(caller, intent, call, lost).await;
    }
    let (mut interval, mut failures) = (pause::FIRST, Failures::default());
    loop {
        let driver = caller.driver(intent).await;
        match driver.ensure(call).await {
            Ok(placed) => return finish(caller, intent, placed).await,
            // All but `Ambiguous` say that nothing was done, and these that it may be later.
            Err(error) if matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Throttled { .. }) => {
                failures.note(caller, intent, &error).await;
                interval = wait(interval, &error).await;
            }
            Err(error) if error.kind == ErrorKind::Ambiguous => {
                return ask_for_lost(caller, intent, call, error).await;
            }
            Err(error) => return finish_without(caller, intent, error).await,
        }
    }
}

/// Asks what became of the one call there is, until the driver can tell. What it lists meanwhile is bound at once, so
/// that nobody has to ask for it again, whoever owns the account when the call ends.
async fn ask_for_lost(caller: &Caller, intent: &Intent, call: &CreateIntent, lost: DriverError) {
    let call = CreateIntent { lost: true, ..call.clone() };
    let (mut interval, mut failures) = (pause::FIRST, Failures::default());
    loop {
        let driver = caller.driver(intent).await;
        let error = match driver.ensure(&call).await {
            Ok(placed) => return finish(caller, intent, placed).await,
            Err(error) if verdict(&error) => return finish_without(caller, intent, error).await,
            Err(error) if lasting(&error) => return look(caller, intent, Some(lost)).await,
            Err(error) => error,
        };
        tracing::debug!(error = %chain(&error), "a create call has no outcome yet");
        if let Ok(found) = caller.tagged(&*driver, intent.id).await
            && !known(caller, intent, &found)
        {
            caller.propose(vec![bind(caller, intent, found)]).await;
        }
        failures.note(caller, intent, &error).await;
        interval = wait(interval, &error).await.min(ASKING_PAUSE_MAX);
    }
}

/// What only the create itself can have said: an answer to the question fails otherwise.
fn verdict(error: &DriverError) -> bool {
    matches!(error.kind, ErrorKind::InvalidSpec { .. } | ErrorKind::Capacity | ErrorKind::Quota)
}
