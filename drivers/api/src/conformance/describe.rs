//! Rules about what a driver says of itself, and about `check`.

use std::collections::BTreeSet;

use skep_types::{Idempotency, SlotNaming};

use super::scope::{Broken, Checked, Scope, expect, failed};
use crate::{ErrorKind, flags};

pub(super) fn sound_description(scope: &Scope<'_>) -> Checked {
    let description = scope.driver.describe();
    let prefix = format!("{}-", description.name.flag_prefix());
    for flag in &description.flags {
        expect(flag.name.starts_with(&prefix), || {
            format!("the flag {} lacks the prefix {prefix}", flag.name)
        })?;
        expect(!flag.usage.is_empty(), || format!("the flag {} says nothing of its use", flag.name))?;
    }
    expect(description.batch.max >= 1, || "batch.max is 0".to_owned())?;
    expect(description.calls_in_flight_max >= 1, || "calls_in_flight_max is 0".to_owned())?;
    let by_name = description.idempotency == Idempotency::UniqueName;
    expect(!by_name || description.batch.naming == SlotNaming::Named, || {
        "UniqueName without named slots cannot find anything by name".to_owned()
    })
}

pub(super) async fn check_names_unknown_options(scope: &Scope<'_>) -> Checked {
    let option = format!("{}-no-such-option", scope.driver.describe().name.flag_prefix());
    let mut template = scope.subject.template();
    template.options.insert(option.clone(), "1".to_owned());
    match scope.driver.check(&template).await {
        Ok(()) => Err(Broken::Failed(format!("check accepted the option {option}"))),
        Err(error) => match &error.kind {
            ErrorKind::InvalidSpec { violations } => {
                let named = violations.iter().any(|v| v.field == flags::field(&option));
                expect(named, || format!("no violation names {}: {violations:?}", flags::field(&option)))
            }
            kind => Err(Broken::Failed(format!("check answered {kind:?} instead of InvalidSpec"))),
        },
    }
}

pub(super) async fn check_changes_nothing(scope: &Scope<'_>) -> Checked {
    if let Err(error) = scope.driver.check(&scope.subject.template()).await {
        return failed("check of a template that works", &error);
    }
    scope.settle().await;
    scope.lists_exactly(&scope.cluster, &BTreeSet::new()).await
}
