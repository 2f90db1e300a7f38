//! Rules about `ensure`: as many as asked, once, whatever gets lost.

use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::sync::Arc;

use futures::future::join_all;
use skep_types::Idempotency;

use super::patient::patient;
use super::scope::{Broken, Checked, Scope, expect, failed, ids};
use crate::decorators::{CallPhase, CallSite, Faults};
use crate::{CreateIntent, DriverError, ErrorKind, Instance, Method};

pub(super) async fn ensure_makes_every_slot(scope: &Scope<'_>) -> Checked {
    let intent = scope.intent();
    let made = scope.ensure(&intent).await?;
    expect(ids(&made).len() == intent.slots.len(), || format!("provider ids repeat: {made:?}"))?;
    for instance in &made {
        expect(instance.intent == Some(intent.intent), || {
            format!("{} carries the intent {:?}", instance.instance.provider_id, instance.intent)
        })?;
    }
    scope.lists_exactly(&scope.cluster, &ids(&made)).await
}

pub(super) async fn ensure_repeated_makes_no_more(scope: &Scope<'_>) -> Checked {
    scope.needs_replay()?;
    let intent = scope.intent();
    let first = scope.ensure(&intent).await?;
    let same = |second: &[Instance], told: &str| {
        expect(ids(&first) == ids(second), || {
            format!("the second call{told} found {:?}, the first made {:?}", ids(second), ids(&first))
        })
    };
    same(&scope.ensure(&intent).await?, "")?;
    // The account goes to another coordinator, and back: each time it may be that nobody knows what came of the call.
    let successor = scope.another().await;
    for (driver, epoch) in [(&successor, 2), (&scope.driver, 3)] {
        let inherited = CreateIntent { inherited: NonZeroU64::new(epoch), ..intent.clone() };
        same(&scope.ensure_inherited(driver, &inherited).await?, ", which was inherited,")?;
    }
    scope.settle().await;
    scope.lists_exactly(&scope.cluster, &ids(&first)).await
}

pub(super) async fn lost_reply_is_found(scope: &Scope<'_>) -> Checked {
    let intent = scope.intent();
    let lossy = Faults::on(Arc::clone(&scope.driver), lose_replies);
    if lossy.ensure(&intent).await.is_ok() {
        return Err(Broken::Failed("the suite could not lose a reply".to_owned()));
    }
    // Another coordinator takes over: nothing of the first one's memory may be needed.
    let successor = scope.another().await;
    let asked = intent.slots.len();
    let lost = successor.describe().idempotency == Idempotency::None;
    if lost {
        scope.settle().await;
        let found = scope.list(&scope.cluster).await?;
        let ours = found.iter().filter(|i| i.intent == Some(intent.intent)).count();
        expect(ours == asked, || format!("{ours} of {asked} lost instances are listed: {found:?}"))?;
    }
    let found = match successor.ensure(&CreateIntent { lost, ..intent.clone() }).await {
        Ok(placed) => placed.instances,
        Err(error) => return failed("ensure after a lost reply", &error),
    };
    expect(found.len() == asked, || format!("{} of {asked} instances were found", found.len()))?;
    scope.settle().await;
    scope.lists_exactly(&scope.cluster, &ids(&found)).await
}

async fn lose_replies(site: CallSite) -> Result<(), DriverError> {
    if site.method == Method::Ensure && site.phase == CallPhase::After {
        return Err(DriverError::new(ErrorKind::Ambiguous, "the reply was lost"));
    }
    Ok(())
}

pub(super) async fn concurrent_ensure_makes_no_doubles(scope: &Scope<'_>) -> Checked {
    scope.needs_replay()?;
    let intent = scope.intent();
    let mut coordinators = Vec::new();
    for _ in 0..4 {
        coordinators.push(scope.another().await);
    }
    // Some may be refused while another one is at it; what counts is what exists in the end.
    let answers = join_all(coordinators.iter().map(|driver| driver.ensure(&intent))).await;
    let reported: BTreeSet<_> = answers.iter().flatten().flat_map(|placed| ids(&placed.instances)).collect();
    let found = scope.ensure(&intent).await?;
    expect(reported.is_subset(&ids(&found)), || {
        format!("calls at the same time reported {reported:?}, later {:?} were found", ids(&found))
    })?;
    scope.settle().await;
    scope.lists_exactly(&scope.cluster, &ids(&found)).await
}

pub(super) async fn shortfall_is_final(scope: &Scope<'_>) -> Checked {
    let mut intent = scope.intent();
    let asked = intent.slots.len();
    let driver = if scope.subject.set_room(u32::try_from(asked - 1).ok()).await {
        Arc::clone(&scope.driver)
    } else {
        let short = scope.subject.short().await.map_err(Broken::NotTried)?;
        intent.template = short.template;
        patient(short.driver)
    };
    let (made, why) = match driver.ensure(&intent).await {
        Ok(placed) => (placed.instances, placed.shortfall),
        Err(error) => (Vec::new(), Some(error)),
    };
    expect(made.len() < asked, || format!("all {asked} instances were made where there is room for fewer"))?;
    let kind = why.map(|error| error.kind);
    expect(matches!(kind, Some(ErrorKind::Capacity | ErrorKind::Quota)), || {
        format!("{} of {asked} were made, and the reason given is {kind:?}", made.len())
    })?;
    scope.subject.set_room(None).await;
    scope.settle().await;
    scope.lists_exactly(&scope.cluster, &ids(&made)).await
}
