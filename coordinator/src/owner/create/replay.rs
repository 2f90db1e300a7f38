//! Creates that can be called again: for a token, or for a name that exists once.

use std::time::Duration;

use skep_core::state::Intent;
use skep_driver::{CreateIntent, ErrorKind};
use skep_types::chain;

use super::{finish, finish_without, look};
use crate::owner::call::{Caller, lasting};
use crate::owner::pause::{self, rest};
use crate::owner::waiting::Failures;

/// The account's limits pace it as well.
const FIRST: Duration = Duration::from_millis(100);

/// The same call can never make more than was asked, so it is made until it says how it ended.
pub(super) async fn replay(
    caller: &Caller,
    intent: &Intent,
    call: &CreateIntent,
    retention: Option<Duration>,
) {
    let (mut interval, mut failures) = (FIRST, Failures::default());
    // Whether a call may have had an effect that nobody was told of.
    let mut unsure = call.inherited.is_some();
    loop {
        let driver = caller.driver(intent).await;
        let age = caller.context.raft.now().since(intent.opened_at);
        if retention.is_some_and(|retention| age >= retention) {
            return look(caller, intent, None).await;
        }
        match driver.ensure(call).await {
            Ok(placed) => return finish(caller, intent, placed).await,
            // All but `Ambiguous` say that nothing was done.
            Err(error) if lasting(&error) && !unsure => return finish_without(caller, intent, error).await,
            Err(error) if lasting(&error) => return look(caller, intent, Some(error)).await,
            Err(error) => {
                unsure |= error.kind == ErrorKind::Ambiguous;
                tracing::debug!(error = %chain(&error), "a create call had no outcome; the same again");
                failures.note(caller, intent, &error).await;
                rest(interval, &error).await;
                interval = (interval * 3 / 2).min(pause::LONGEST);
            }
        }
    }
}
