//! Carries out a create intent: the identical call until its outcome is known, then bind and close in one entry.

mod attempt;
mod outcome;
mod replay;

use std::num::NonZeroU64;

use skep_core::command::Shortfall;
use skep_core::state::{Intent, IntentKind};
use skep_driver::{Bootstrap, CreateIntent, DriverError, Placed, Slot};
use skep_types::{Idempotency, Secret, chain};

use super::call::{Caller, failure_kind};
use super::pause::{self, wait};
use super::waiting::Failures;
use crate::frozen;
use crate::trust::TrustError;
use attempt::attempt_once;
use outcome::{bind, close, is_live};
use replay::replay;

pub(super) async fn run(caller: &Caller, intent: &Intent, again: bool) {
    let call = match driver_call(caller, intent) {
        Ok(call) if again => CreateIntent { inherited: NonZeroU64::new(caller.epoch), ..call },
        Ok(call) => call,
        Err(error) => {
            let message = format!("the intent's parameters cannot be opened: {error}");
            let shortfall = Shortfall { kind: skep_core::command::FailureKind::Lasting, message };
            caller.close(intent, vec![close(caller, intent, Some(shortfall))]).await;
            return;
        }
    };
    match caller.driver(intent).await.describe().idempotency {
        Idempotency::Token { retention } => replay(caller, intent, &call, Some(retention)).await,
        Idempotency::UniqueName => replay(caller, intent, &call, None).await,
        Idempotency::None => attempt_once(caller, intent, &call).await,
    }
}

async fn finish(caller: &Caller, intent: &Intent, placed: Placed) {
    let outcomes = outcome::of(caller, intent, placed);
    caller.close(intent, outcomes).await;
}

/// The driver says why it made nothing.
async fn finish_without(caller: &Caller, intent: &Intent, error: DriverError) {
    finish(caller, intent, Placed { instances: Vec::new(), shortfall: Some(error) }).await;
}

/// The call will not be made again: what carries the intent's tag after the settle window is what there is.
async fn look(caller: &Caller, intent: &Intent, error: Option<DriverError>) {
    tokio::time::sleep(caller.driver(intent).await.describe().settle).await;
    let (mut interval, mut failures) = (pause::FIRST, Failures::default());
    let mut found = loop {
        match caller.tagged(&*caller.driver(intent).await, intent.id).await {
            Ok(found) => break found,
            Err(error) => {
                failures.note(caller, intent, &error).await;
                interval = wait(interval, &error).await;
            }
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
    caller.close(intent, vec![bind(caller, intent, found), close(caller, intent, shortfall)]).await;
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

/// The owner's epoch, where the one before may have begun it.
fn inherited(caller: &Caller, intent: &Intent) -> Option<NonZeroU64> {
    let state = caller.context.raft.state();
    let owner = state.accounts.get(&intent.account).and_then(|account| account.owner(intent.shard));
    let before = owner.and_then(|owner| owner.inherits).is_none_or(|last| intent.id <= last);
    NonZeroU64::new(caller.epoch).filter(|_| before)
}
