//! Flags that only the cluster knows: `--local-memory 1g` and its like.
//!
//! ```text
//! arguments ─ sweep: is there one? ─ no ─► clap, as they are
//!                 └─ yes ─► Drivers/List ─► extract: options, and the arguments left over for clap
//! later, in the command: complete: environment variables, types
//! ```

mod extract;
mod help;
mod sweep;

use std::collections::BTreeMap;
use std::ffi::OsString;

use skep_proto::v1::{Driver, DriverFlag};

use crate::context::Context;
use crate::failure::Failure;
use crate::surroundings::Variables;
pub(crate) use help::help;

/// Used when neither `--driver` nor `SKEP_DRIVER` names another.
const DEFAULT: &str = "local";

/// The driver to use, given the value of `--driver`.
pub(crate) fn driver_name(given: Option<&str>, variables: &Variables) -> String {
    given.or_else(|| variables.get("SKEP_DRIVER")).unwrap_or(DEFAULT).to_owned()
}

/// Takes the driver's flags out of the arguments: those left over, and the flags' names (without dashes) and values.
pub(crate) async fn take(
    arguments: Vec<OsString>,
    context: &mut Context,
) -> Result<(Vec<OsString>, BTreeMap<String, String>), Failure> {
    let Some(swept) = sweep::sweep(&arguments, &context.surroundings.variables) else {
        return Ok((arguments, BTreeMap::new()));
    };
    context.config = swept.config;
    let known = match context.drivers().await {
        // Help is worth reading without a cluster that answers.
        Err(_) if sweep::asks_for_help(&arguments) => return Ok((arguments, BTreeMap::new())),
        known => known?,
    };
    let drivers: Vec<&Driver> = match &swept.account {
        Some(account) => vec![of_account(known, account)?],
        None => swept.drivers.iter().map(|name| find(known, name)).collect::<Result<_, _>>()?,
    };
    extract::extract(arguments, &drivers)
}

/// What the flags of a driver begin with: its own name, or that of the driver behind it.
fn prefix(driver: &str) -> String {
    let own = driver.rsplit_once('/').map_or(driver, |(_, behind)| behind);
    format!("{own}-")
}

pub(crate) fn find<'a>(drivers: &'a [Driver], name: &str) -> Result<&'a Driver, Failure> {
    drivers.iter().find(|driver| driver.name == name).ok_or_else(|| {
        let known: Vec<&str> = drivers.iter().map(|driver| driver.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Failure::Usage(format!("there is no driver {name:?}; this cluster has: {known}"))
    })
}

/// The driver that an account is of.
pub(crate) fn of_account<'a>(drivers: &'a [Driver], name: &str) -> Result<&'a Driver, Failure> {
    let has = |driver: &&Driver| driver.accounts.iter().any(|account| account.name == name);
    drivers
        .iter()
        .find(has)
        .ok_or_else(|| Failure::Usage(format!("there is no account {name:?}; `skep account ls` lists them")))
}

/// Refuses names that are no flags of the driver.
pub(crate) fn check_known<'a>(
    driver: &Driver,
    mut names: impl Iterator<Item = &'a String>,
) -> Result<(), Failure> {
    let strange = names.find(|name| driver.flags.iter().all(|flag| flag.name != **name));
    strange.map_or(Ok(()), |name| Err(unknown(driver, name)))
}

fn unknown(driver: &Driver, name: &str) -> Failure {
    let known: Vec<String> = driver.flags.iter().map(|flag| format!("--{}", flag.name)).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Failure::Usage(format!("the driver {} has no flag --{name}; it has: {known}", driver.name))
}

/// Adds what environment variables say about flags that were not given, and checks the types of all.
pub(crate) fn complete(
    given: &BTreeMap<String, String>,
    driver: &Driver,
    variables: &Variables,
) -> Result<BTreeMap<String, String>, Failure> {
    completed(given, &driver.flags, variables)
}

/// The same for the settings of an account; one that the driver does not know is left for the coordinator to refuse.
pub(crate) fn complete_account(
    given: &BTreeMap<String, String>,
    driver: &Driver,
    variables: &Variables,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut options = given.clone();
    options.extend(completed(given, &driver.account_flags, variables)?);
    Ok(options)
}

fn completed(
    given: &BTreeMap<String, String>,
    flags: &[DriverFlag],
    variables: &Variables,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut options = BTreeMap::new();
    for flag in flags {
        let (value, source) = match given.get(&flag.name) {
            Some(value) => (value.as_str(), format!("--{}", flag.name)),
            None => match variables.get(&flag.env) {
                Some(value) => (value, flag.env.clone()),
                None => continue,
            },
        };
        options.insert(flag.name.clone(), checked(flag, value, &source)?);
    }
    Ok(options)
}

fn checked(flag: &DriverFlag, value: &str, source: &str) -> Result<String, Failure> {
    match flag.kind.as_str() {
        "integer" => match value.parse::<i64>() {
            Ok(number) => Ok(number.to_string()),
            Err(_) => Err(Failure::Usage(format!("{source} takes a whole number, not {value:?}"))),
        },
        "boolean" => match value {
            "true" | "1" => Ok("true".to_owned()),
            "false" | "0" => Ok("false".to_owned()),
            _ => Err(Failure::Usage(format!("{source} takes true or false, not {value:?}"))),
        },
        _ => Ok(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(name: &str, kind: &str, env: &str) -> DriverFlag {
        DriverFlag { name: name.into(), kind: kind.into(), env: env.into(), ..DriverFlag::default() }
    }

    fn driver() -> Driver {
        Driver {
            name: "local".into(),
            flags: vec![flag("local-cpus", "integer", "LOCAL_CPUS"), flag("local-tty", "boolean", "")],
            ..Driver::default()
        }
    }

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_flag_wins_over_its_variable() {
        let variables = [("LOCAL_CPUS", "2")].into_iter().collect();
        let options = complete(&given(&[]), &driver(), &variables).unwrap();
        assert_eq!(options, given(&[("local-cpus", "2")]));
        let options = complete(&given(&[("local-cpus", "4")]), &driver(), &variables).unwrap();
        assert_eq!(options, given(&[("local-cpus", "4")]));
    }

    #[test]
    fn a_wrong_type_names_where_it_came_from() {
        let variables = [("LOCAL_CPUS", "many")].into_iter().collect();
        let failure = complete(&given(&[]), &driver(), &variables).unwrap_err();
        assert_eq!(failure.text(), "skep: LOCAL_CPUS takes a whole number, not \"many\"\n");
        let failure =
            complete(&given(&[("local-tty", "maybe")]), &driver(), &Variables::default()).unwrap_err();
        assert_eq!(failure.text(), "skep: --local-tty takes true or false, not \"maybe\"\n");
    }

    #[test]
    fn an_account_is_enough_to_know_its_driver() {
        let account = skep_proto::v1::Account { name: "prod".into(), ..Default::default() };
        let cloud = Driver { name: "cloud".into(), accounts: vec![account], ..Driver::default() };
        assert_eq!(of_account(&[driver(), cloud.clone()], "prod").unwrap().name, "cloud");
        let failure = of_account(&[driver(), cloud], "test").unwrap_err();
        assert_eq!(failure.text(), "skep: there is no account \"test\"; `skep account ls` lists them\n");
    }

    #[test]
    fn an_unknown_driver_is_answered_with_the_known_ones() {
        let failure = find(&[driver()], "amazonec2").unwrap_err();
        assert_eq!(failure.text(), "skep: there is no driver \"amazonec2\"; this cluster has: local\n");
    }
}
