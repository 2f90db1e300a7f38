//! Carries out a create intent: the identical call until its outcome is known, then bind and close in one entry.

mod outcome;

use std::time::Duration;

use skep_core::command::{OutcomeCommand, Reply, Shortfall};
use skep_core::state::{Intent, IntentKind};
use skep_driver::{Bootstrap, CreateIntent, DriverError, ErrorKind, Placed, Slot};
use skep_types::{Idempotency, Secret, chain};

use super::call::{Caller, failure_kind};
use crate::frozen;
use crate::trust::TrustError;
use outcome::{bind, close, is_live, known};

const BACKOFF_FIRST: Duration = Duration::from_millis(250);
/// Of the same call again, which the account's limits pace as well; half as long again each time.
const REPLAY_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(15);
/// A driver may give up a create that nobody asks for any more.
const ASKING_PAUSE_MAX: Duration = Duration::from_secs(4);

pub(super) async fn run(caller: &Caller, intent: &Intent) {
    let call = match driver_call(caller, intent) {
        Ok(call) => call,
        Err(error) => {
            let message = format!("the intent's parameters cannot be opened: {error}");
            let shortfall = Shortfall { kind: skep_core::command::FailureKind::Lasting, message };
            caller.propose(vec![close(caller, intent, Some(shortfall))]).await;
            return;
        }
    };
    match caller.driver(intent).await.describe().idempotency {
        Idempotency::Token { retention } => replay(caller, intent, &call, Some(retention)).await,
        Idempotency::UniqueName => replay(caller, intent, &call, None).await,
        Idempotency::None => attempt_once(caller, intent, &call).await,
    }
}

/// The same call can never make more than was asked, so it is made until it says how it ended.
async fn replay(caller: &Caller, intent: &Intent, call: &CreateIntent, retention: Option<Duration>) {
    let mut pause = REPLAY_FIRST;
    loop {
        let driver = caller.driver(intent).await;
        let age = caller.context.raft.now().since(intent.opened_at);
        if retention.is_some_and(|retention| age >= retention) {
            return look(caller, intent, None).await;
        }
        match driver.ensure(call).await {
            Ok(placed) => return finish(caller, intent, placed).await,
            Err(error) if lasting(&error) => return look(caller, intent, Some(error)).await,
            Err(error) => {
                tracing::debug!(error = %chain(&error), "a create call had no outcome; the same again");
                rest(pause, &error).await;
                pause = (pause * 3 / 2).min(BACKOFF_MAX);
            }
        }
    }
}

/// Nothing protects a second call: it is committed that one is made.
async fn attempt_once(caller: &Caller, intent: &Intent, call: &CreateIntent) {
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
    let mut pause = BACKOFF_FIRST;
    loop {
        let driver = caller.driver(intent).await;
        match driver.ensure(call).await {
            Ok(placed) => return finish(caller, intent, placed).await,
            // All but `Ambiguous` say that nothing was done, and these that it may be later.
            Err(error) if matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Throttled { .. }) => {
                pause = wait(pause, &error).await;
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
    let mut pause = BACKOFF_FIRST;
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
        pause = wait(pause, &error).await.min(ASKING_PAUSE_MAX);
    }
}

async fn finish(caller: &Caller, intent: &Intent, placed: Placed) {
    let outcomes = outcome::of(caller, intent, placed);
    caller.propose(outcomes).await;
}

/// The driver says why it made nothing.
async fn finish_without(caller: &Caller, intent: &Intent, error: DriverError) {
    finish(caller, intent, Placed { instances: Vec::new(), shortfall: Some(error) }).await;
}

/// The call will not be made again: what carries the intent's tag after the settle window is what there is.
async fn look(caller: &Caller, intent: &Intent, error: Option<DriverError>) {
    tokio::time::sleep(caller.driver(intent).await.describe().settle).await;
    let mut pause = BACKOFF_FIRST;
    let mut found = loop {
        match caller.tagged(&*caller.driver(intent).await, intent.id).await {
            Ok(found) => break found,
            Err(error) => pause = wait(pause, &error).await,
        }
    };
    found.retain(is_live);
    let asked = match &intent.kind {
        IntentKind::Create { slots, .. } => slots.len(),
        IntentKind::Power { .. } | IntentKind::Destroy { .. } => 0,
    };
    let shortfall = (found.len() < asked).then(|| match &error {
        Some(error) => Shortfall { kind: failure_kind(error), message: chain(error) },
        None => Shortfall {
            kind: skep_core::command::FailureKind::Capacity,
            message: "the driver no longer knows the call, and fewer instances exist than asked".to_owned(),
        },
    });
    caller.propose(vec![bind(caller, intent, found), close(caller, intent, shortfall)]).await;
}

fn lasting(error: &DriverError) -> bool {
    !matches!(error.kind, ErrorKind::Throttled { .. } | ErrorKind::Unavailable | ErrorKind::Ambiguous)
}

/// What only the create itself can have said: an answer to the question fails otherwise.
fn verdict(error: &DriverError) -> bool {
    matches!(error.kind, ErrorKind::InvalidSpec { .. } | ErrorKind::Capacity | ErrorKind::Quota)
}

/// Waits as long as the driver asked, at least the pause; returns the next pause.
pub(super) async fn wait(pause: Duration, error: &DriverError) -> Duration {
    rest(pause, error).await;
    (pause * 2).min(BACKOFF_MAX)
}

async fn rest(pause: Duration, error: &DriverError) {
    let asked = match error.kind {
        ErrorKind::Throttled { retry_after } => retry_after,
        _ => Duration::ZERO,
    };
    tokio::time::sleep(pause.max(asked)).await;
}

/// The frozen parameters, as the driver takes them.
fn driver_call(caller: &Caller, intent: &Intent) -> Result<CreateIntent, TrustError> {
    let IntentKind::Create { token, template, slots, sealed_bootstrap, .. } = &intent.kind else {
        return Err(TrustError::Unseal { resource: intent.id.to_string() });
    };
    let first = slots.first().map(|slot| slot.token);
    let frozen = frozen::open(&caller.context.trust.sealer, first, sealed_bootstrap)?;
    let slots = slots.iter().zip(frozen.agent_configs).map(|(slot, agent_config)| Slot {
        name: slot.name.to_string(),
        host: slot.host,
        incarnation: slot.incarnation,
        bootstrap: Bootstrap {
            agent_urls: frozen.agent_urls.clone(),
            agent_sha256: frozen.agent_sha256.clone(),
            agent_config: Secret::new(agent_config),
        },
    });
    Ok(CreateIntent {
        cluster: caller.context.cluster.to_string(),
        intent: intent.id,
        token: token.clone(),
        template: (**template).clone(),
        slots: slots.collect(),
        lost: false,
        inherited: inherited(caller, intent),
    })
}

/// Whether the owner before this one may have begun it.
fn inherited(caller: &Caller, intent: &Intent) -> bool {
    let state = caller.context.raft.state();
    let owner = state.accounts.get(&intent.account).and_then(|account| account.owner(intent.shard));
    owner.and_then(|owner| owner.inherits).is_none_or(|last| intent.id <= last)
}
