//! Accounts: names, sizes and words. What their driver knows is checked where the request is applied.

use std::collections::BTreeMap;

use skep_core::state::AccountLimits;
use skep_proto::v1 as pb;
use skep_types::{AccountName, Bucket, CallClass, CoordinatorId, DriverName, Limits, Refusal, limits};

use super::super::Check;
use super::cluster::coordinator;

/// Characters of a key that a violation repeats.
const KEY_SHOWN: usize = 64;

/// Not sealed yet.
pub(in crate::api) enum Credentials {
    Given(BTreeMap<String, String>),
    Command { name: String, arguments: Vec<String> },
}

pub(in crate::api) struct NewAccount {
    pub(in crate::api) name: AccountName,
    pub(in crate::api) driver: DriverName,
    pub(in crate::api) options: BTreeMap<String, String>,
    pub(in crate::api) credentials: Credentials,
    pub(in crate::api) limits: AccountLimits,
    pub(in crate::api) coordinators: Vec<CoordinatorId>,
    pub(in crate::api) replace: bool,
}

pub(in crate::api) fn account_name(name: &str) -> Result<AccountName, Refusal> {
    name.parse().map_err(|error| Refusal::field("name", error))
}

pub(in crate::api) fn add_account(from: pb::AddAccountRequest) -> Result<NewAccount, Refusal> {
    let mut check = Check::default();
    let name = check.field("name", from.name.parse());
    let driver = match from.driver.as_str() {
        "" => {
            check.refuse("driver", "is missing; `skep driver ls` lists them");
            None
        }
        text => check.field("driver", text.parse()),
    };
    check_options(&mut check, &from.options);
    let credentials = credentials(&mut check, from.credentials, from.credential_command);
    let limits = read_limits(&mut check, from.limits);
    let coordinators = coordinators(&mut check, &from.coordinators);
    let account = (|| {
        Some(NewAccount {
            name: name?,
            driver: driver?,
            options: from.options,
            credentials: credentials?,
            limits: limits?,
            coordinators: coordinators?,
            replace: from.replace,
        })
    })();
    check.finish(account)
}

pub(in crate::api) fn rotation(
    from: pb::RotateAccountCredentialsRequest,
) -> Result<(AccountName, Credentials), Refusal> {
    let mut check = Check::default();
    let name = check.field("name", from.name.parse());
    if from.credentials.is_empty() && from.credential_command.is_none() {
        check.refuse("credentials", "are missing; give all that the account is to have from now on");
    }
    let credentials = credentials(&mut check, from.credentials, from.credential_command);
    check.finish(name.zip(credentials))
}

pub(in crate::api) fn account_limits(
    from: pb::SetAccountLimitsRequest,
) -> Result<(AccountName, AccountLimits), Refusal> {
    let mut check = Check::default();
    let name = check.field("name", from.name.parse());
    let limits = read_limits(&mut check, from.limits);
    check.finish(name.zip(limits))
}

fn check_options(check: &mut Check, options: &BTreeMap<String, String>) {
    if options.len() > limits::OPTIONS {
        check.refuse("options", format!("are {}; at most {}", options.len(), limits::OPTIONS));
    }
    for (key, value) in options {
        if key.is_empty() || key.len() > limits::OPTION_BYTES || value.len() > limits::OPTION_BYTES {
            let rule = format!("has no name, or more than the {} bytes of an option", limits::OPTION_BYTES);
            check.refuse(&path("options", key), rule);
        }
    }
}

fn credentials(
    check: &mut Check,
    given: BTreeMap<String, String>,
    command: Option<pb::CredentialCommand>,
) -> Option<Credentials> {
    let Some(command) = command else {
        check_credentials(check, &given);
        return Some(Credentials::Given(given));
    };
    if !given.is_empty() {
        check.refuse("credentials", "are given, and a command that prints them as well; give one of the two");
    }
    let Some(name) = program(&command.name) else {
        let rule = "is no file's name: the command stands in the folder that skepd was told of";
        check.refuse("credential_command.name", rule);
        return None;
    };
    let long = |argument: &String| argument.len() > limits::COMMAND_ARGUMENT_BYTES || argument.contains('\0');
    if command.arguments.len() > limits::COMMAND_ARGUMENTS || command.arguments.iter().any(long) {
        let (most, bytes) = (limits::COMMAND_ARGUMENTS, limits::COMMAND_ARGUMENT_BYTES);
        check.refuse("credential_command.arguments", format!("take at most {most} of {bytes} bytes each"));
        return None;
    }
    Some(Credentials::Command { name: name.to_owned(), arguments: command.arguments })
}

/// A plain file name.
fn program(name: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let good = !name.is_empty() && name.len() <= limits::NAME_BYTES && !name.starts_with('.');
    (good && name.chars().all(plain)).then_some(name)
}

fn check_credentials(check: &mut Check, given: &BTreeMap<String, String>) {
    if given.len() > limits::CREDENTIALS {
        check.refuse("credentials", format!("are {}; at most {}", given.len(), limits::CREDENTIALS));
    }
    for (key, value) in given {
        let most = limits::CREDENTIAL_BYTES;
        if value.len() > most {
            check.refuse(&path("credentials", key), format!("has {} bytes; at most {most}", value.len()));
        }
        if value.is_empty() {
            check.refuse(&path("credentials", key), "is empty; leave out what is not needed");
        }
        if key.is_empty() || key.len() > limits::NAME_BYTES {
            check.refuse(&path("credentials", key), "is no name of a credential");
        }
    }
}

fn path(map: &str, key: &str) -> String {
    let shown: String = key.chars().take(KEY_SHOWN).collect();
    format!("{map}.{shown}")
}

fn read_limits(check: &mut Check, from: Option<pb::AccountLimits>) -> Option<AccountLimits> {
    let from = from.unwrap_or_default();
    let calls = buckets(check, "limits.calls", &from.calls);
    let instances = buckets(check, "limits.instances", &from.instances);
    let calls_in_flight = (from.calls_in_flight_max > 0).then_some(from.calls_in_flight_max);
    Some(AccountLimits { buckets: Limits { calls: calls?, instances: instances? }, calls_in_flight })
}

fn buckets(
    check: &mut Check,
    field: &str,
    from: &BTreeMap<String, pb::Bucket>,
) -> Option<BTreeMap<CallClass, Bucket>> {
    let mut buckets = BTreeMap::new();
    for (word, bucket) in from {
        let Some(class) = CallClass::ALL.into_iter().find(|class| class.label() == word) else {
            check.refuse(
                &path(field, word),
                "is no class of calls; there are read, create, power and destroy",
            );
            return None;
        };
        buckets.insert(class, Bucket { per_minute: bucket.per_minute, burst: bucket.burst });
    }
    Some(buckets)
}

fn coordinators(check: &mut Check, from: &[String]) -> Option<Vec<CoordinatorId>> {
    if from.len() > limits::ACCOUNT_COORDINATORS {
        let most = limits::ACCOUNT_COORDINATORS;
        check.refuse("coordinators", format!("are {}; name at most {most}", from.len()));
        return None;
    }
    let read: Result<Vec<_>, Refusal> = from.iter().map(|text| coordinator(text)).collect();
    match read {
        Ok(mut ids) => {
            ids.sort_unstable();
            Some(ids)
        }
        Err(_) => {
            check.refuse("coordinators", "are ids like c2; `skep cluster status` lists them");
            None
        }
    }
}
