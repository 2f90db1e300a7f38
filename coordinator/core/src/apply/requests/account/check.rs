//! Whether an account can be of its driver. All that is wrong is told at once.

use std::collections::{BTreeMap, BTreeSet};

use skep_types::{
    Bucket, CallClass, Code, CoordinatorId, CredentialDescription, DriverDescription, FieldViolation,
    FlagDescription, FlagKind, Refusal, limits as bounds,
};

use crate::State;
use crate::state::{Account, AccountLimits, AccountSettings, CredentialSource};

pub(super) fn settings(driver: &DriverDescription, settings: &AccountSettings) -> Result<(), Refusal> {
    let mut wrong = options(&driver.account_flags, &settings.options);
    wrong.extend(source(&driver.credentials, &settings.credentials));
    wrong.extend(all_limits(&settings.limits));
    refused(wrong)
}

pub(super) fn credentials(driver: &DriverDescription, credentials: &CredentialSource) -> Result<(), Refusal> {
    refused(source(&driver.credentials, credentials))
}

pub(super) fn limits(limits: &AccountLimits) -> Result<(), Refusal> {
    refused(all_limits(limits))
}

/// Of an account as it would be.
pub(super) fn tokens(account: &Account) -> Result<(), Refusal> {
    let (shards, most) = (account.shards(), account.shards_max());
    if shards > most {
        let rule = format!("are below {shards}: the account has as many shards, and each needs a token");
        return Err(Refusal::field("limits", rule));
    }
    Ok(())
}

pub(super) fn coordinators(state: &State, named: &[CoordinatorId]) -> Result<(), Refusal> {
    let here =
        |id: &CoordinatorId| state.coordinators.get(id).is_some_and(|coordinator| !coordinator.removed);
    let unknown = named.iter().find(|id| !here(id)).map(|id| {
        violation("coordinators", format!("{id} is no coordinator; `skep cluster status` lists them"))
    });
    let distinct: BTreeSet<_> = named.iter().collect();
    let twice =
        (distinct.len() < named.len()).then(|| violation("coordinators", "name one twice; name each once"));
    refused(unknown.into_iter().chain(twice).collect())
}

fn refused(violations: Vec<FieldViolation>) -> Result<(), Refusal> {
    if violations.is_empty() {
        return Ok(());
    }
    Err(Refusal { violations, ..Refusal::new(Code::Invalid, "the request is invalid") })
}

fn violation(field: impl Into<String>, description: impl Into<String>) -> FieldViolation {
    FieldViolation { field: field.into(), description: description.into() }
}

fn options(flags: &[FlagDescription], given: &BTreeMap<String, String>) -> Vec<FieldViolation> {
    let wrong = |(name, value): (&String, &String)| {
        let description = match flags.iter().find(|flag| flag.name == *name) {
            None => unknown("option", flags.iter().map(|flag| flag.name.as_str())),
            Some(flag) => wrong_value(flag.kind, value)?.to_owned(),
        };
        Some(violation(format!("options.{name}"), description))
    };
    given.iter().filter_map(wrong).collect()
}

fn wrong_value(kind: FlagKind, value: &str) -> Option<&'static str> {
    match kind {
        FlagKind::String | FlagKind::StringList => None,
        FlagKind::Integer => value.parse::<u64>().is_err().then_some("must be a whole number"),
        FlagKind::Boolean => value.parse::<bool>().is_err().then_some("must be true or false"),
    }
}

/// What a command prints is checked where it is run.
fn source(known: &[CredentialDescription], source: &CredentialSource) -> Vec<FieldViolation> {
    let CredentialSource::Stored { sealed } = source else {
        return Vec::new();
    };
    let named = |name: &str| known.iter().any(|credential| credential.name == name);
    let strange = sealed.keys().filter(|name| !named(name)).map(|name| {
        let description = unknown("credential", known.iter().map(|credential| credential.name.as_str()));
        violation(format!("credentials.{name}"), description)
    });
    let missing = known.iter().filter(|credential| credential.required);
    let missing = missing.filter(|credential| !sealed.contains_key(&credential.name)).map(|credential| {
        violation(format!("credentials.{}", credential.name), format!("is missing: {}", credential.usage))
    });
    strange.chain(missing).collect()
}

fn unknown<'a>(what: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    match known[..] {
        [] => format!("is no {what} of this driver; its accounts have none"),
        _ => format!("is no {what} of this driver; it has {}", known.join(", ")),
    }
}

fn all_limits(limits: &AccountLimits) -> Vec<FieldViolation> {
    let mut wrong = buckets("limits.calls", &limits.buckets.calls);
    wrong.extend(buckets("limits.instances", &limits.buckets.instances));
    let most = bounds::CALLS_IN_FLIGHT;
    if let Some(calls) = limits.calls_in_flight.filter(|calls| !(1..=most).contains(calls)) {
        wrong.push(violation("limits.calls_in_flight_max", format!("is {calls}; allow 1 to {most}")));
    }
    wrong
}

fn buckets(field: &str, buckets: &BTreeMap<CallClass, Bucket>) -> Vec<FieldViolation> {
    let most = bounds::BUCKET;
    let mut wrong = Vec::new();
    for (class, bucket) in buckets {
        for (part, value) in [("per_minute", bucket.per_minute), ("burst", bucket.burst)] {
            if !(1..=most).contains(&value) {
                let field = format!("{field}.{}.{part}", class.label());
                wrong.push(violation(field, format!("is {value}; allow 1 to {most}")));
            }
        }
    }
    wrong
}
