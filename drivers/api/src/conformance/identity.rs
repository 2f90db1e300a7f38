//! Rules about which instances are whose.

use std::collections::BTreeSet;

use skep_types::{Idempotency, PowerAction};

use super::scope::{Checked, Scope, expect, failed, ids, targets};
use crate::{CreateIntent, DriverError, ErrorKind, Instance, Target};

pub(super) async fn list_is_exact(scope: &Scope<'_>) -> Checked {
    let mut wanted = BTreeSet::new();
    let mut intents = Vec::new();
    for _ in 0..2 {
        let intent = scope.intent();
        wanted.extend(ids(&scope.ensure(&intent).await?));
        intents.push(intent.intent);
    }
    scope.lists_exactly(&scope.cluster, &wanted).await?;
    let listed = scope.list(&scope.cluster).await?;
    let tagged = |instance: &Instance| instance.intent.is_some_and(|intent| intents.contains(&intent));
    expect(listed.iter().all(tagged), || format!("an intent's tag is missing: {listed:?}"))
}

pub(super) async fn foreign_is_untouched(scope: &Scope<'_>) -> Checked {
    let ours = scope.make().await?;
    let theirs = scope.ensure(&CreateIntent { cluster: scope.neighbour.clone(), ..scope.intent() }).await?;
    let mut foreign = targets(&theirs);
    let unmanaged = scope.subject.make_foreign().await;
    foreign.extend(unmanaged.clone().map(Target::from));
    // Until then it proves nothing that they are not seen.
    scope.settle().await;
    for target in &foreign {
        refuses_to_touch(scope, target).await?;
    }
    scope.lists_exactly(&scope.cluster, &ids(&ours)).await?;
    scope.lists_exactly(&scope.neighbour, &ids(&theirs)).await?;
    if let Some(instance) = unmanaged {
        let untouched = scope.subject.foreign_is_untouched(&instance).await;
        expect(untouched, || format!("{} is not as it was", instance.provider_id))?;
    }
    Ok(())
}

async fn refuses_to_touch(scope: &Scope<'_>, target: &Target) -> Checked {
    let one = std::slice::from_ref(target);
    let observed = scope.observe_one(&scope.cluster, target).await?;
    expect(is_not_found(&observed), || format!("observe answered a foreign instance with {observed:?}"))?;
    let power = scope.driver.power(&scope.cluster, PowerAction::Kill, one).await;
    expect(refused(&power), || format!("power answered a foreign instance with {power:?}"))?;
    let destroy = scope.driver.destroy(&scope.cluster, one).await;
    expect(refused(&destroy), || format!("destroy answered a foreign instance with {destroy:?}"))?;
    // Taken for gone, it would be forgotten though it lives. Nobody is believed who may have lost it; and a machine that
    // others have adopted since is ours no more.
    let description = scope.driver.describe();
    let harmless = description.idempotency == Idempotency::None || description.adopts;
    expect(harmless || !taken_for_gone(&destroy), || {
        format!("destroy answered a foreign instance as one that is gone: {destroy:?}")
    })
}

fn refused(answer: &Result<Vec<Result<(), DriverError>>, DriverError>) -> bool {
    match answer {
        Ok(items) => items.iter().all(Result::is_err),
        Err(_) => true,
    }
}

fn taken_for_gone(answer: &Result<Vec<Result<(), DriverError>>, DriverError>) -> bool {
    let gone = |error: &DriverError| error.kind == ErrorKind::NotFound;
    match answer {
        Ok(items) => items.iter().any(|item| item.as_ref().is_err_and(gone)),
        Err(error) => gone(error),
    }
}

fn is_not_found(answer: &Result<Instance, DriverError>) -> bool {
    matches!(answer, Err(DriverError { kind: ErrorKind::NotFound, .. }))
}

pub(super) async fn names_are_not_identity(scope: &Scope<'_>) -> Checked {
    let first = scope.intent();
    let made = ids(&scope.ensure(&first).await?);
    let other = scope.intent();
    let same_names = CreateIntent { slots: first.slots.clone(), ..other.clone() };
    let elsewhere = CreateIntent { cluster: scope.neighbour.clone(), ..same_names.clone() };
    for intent in [same_names, elsewhere] {
        // Refusing is as good as making others: names may be unique in the account.
        let placed = scope.driver.ensure(&intent).await.unwrap_or_default();
        let taken: Vec<_> = ids(&placed.instances).intersection(&made).cloned().collect();
        expect(taken.is_empty(), || {
            format!("ensure for {} of {} took over {taken:?}", intent.intent, intent.cluster)
        })?;
    }
    let listed = ids(&scope.list(&scope.cluster).await?);
    expect(made.is_subset(&listed), || format!("of {made:?} only {listed:?} are left"))
}

pub(super) async fn observe_answers_each(scope: &Scope<'_>) -> Checked {
    let made = scope.make().await?;
    scope.lists_exactly(&scope.cluster, &ids(&made)).await?;
    let mut asked = targets(&made);
    asked.insert(1, scope.subject.unknown().into());
    let answers = match scope.driver.observe(&scope.cluster, &asked).await {
        Ok(answers) => answers,
        Err(error) => return failed("observe with one unknown instance among others", &error),
    };
    expect(answers.len() == asked.len(), || {
        format!("{} answers to {} instances", answers.len(), asked.len())
    })?;
    expect(is_not_found(&answers[1]), || format!("the unknown instance was answered with {:?}", answers[1]))?;
    for (index, (target, answer)) in asked.iter().zip(&answers).enumerate().filter(|(index, _)| *index != 1) {
        let right =
            answer.as_ref().is_ok_and(|seen| seen.instance.provider_id == target.instance.provider_id);
        expect(right, || format!("answer {index}, for {}, is {answer:?}", target.instance.provider_id))?;
    }
    Ok(())
}

pub(super) async fn instances_are_named(scope: &Scope<'_>) -> Checked {
    let intent = scope.intent();
    let made = scope.ensure(&intent).await?;
    let names: BTreeSet<&str> = made.iter().map(|i| i.instance.name.as_str()).collect();
    if scope.named() {
        let wanted: BTreeSet<&str> = intent.slots.iter().map(|slot| slot.name.as_str()).collect();
        return expect(names == wanted, || format!("instances are named {names:?}, slots {wanted:?}"));
    }
    expect(names.len() == made.len() && !names.contains(""), || {
        format!("names repeat or are missing: {names:?}")
    })
}
