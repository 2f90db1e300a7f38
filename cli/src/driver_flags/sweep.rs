//! Looks, before anything is known about the drivers, whether flags of theirs are there at all.

use std::ffi::OsString;
use std::path::PathBuf;

use super::{driver_name, prefix};
use crate::surroundings::Variables;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Swept {
    /// At least one.
    pub(crate) drivers: Vec<String>,
    /// Given without a driver, whose account it is.
    pub(crate) account: Option<String>,
    pub(crate) config: Option<PathBuf>,
}

/// The drivers that `arguments` are for; None when these have no flags of theirs, and need no help from the cluster.
pub(crate) fn sweep(arguments: &[OsString], variables: &Variables) -> Option<Swept> {
    let words = words(arguments);
    if !makes_hosts(&words) {
        return None;
    }
    let drivers = drivers(&words, variables);
    let theirs =
        |word: &&str| drivers.iter().any(|driver| word.starts_with(&format!("--{}", prefix(driver))));
    // Flags of a driver behind another one are named as that one likes.
    let foreign = drivers.iter().any(|driver| driver.contains('/'));
    let account = values_of("--account", &words).next().map(str::to_owned);
    let account = account.filter(|_| values_of("--driver", &words).next().is_none());
    (foreign || account.is_some() || words.iter().any(theirs)).then(|| Swept {
        account,
        drivers,
        config: values_of("--config", &words).next().map(PathBuf::from),
    })
}

/// The drivers that a command which makes hosts names itself; None for any other.
pub(crate) fn named(arguments: &[OsString]) -> Option<Swept> {
    let words = words(arguments);
    let shares = values_of("--spread", &words).filter_map(|share| share.split(',').next());
    let drivers: Vec<String> = shares.chain(values_of("--driver", &words)).map(str::to_owned).collect();
    let config = values_of("--config", &words).next().map(PathBuf::from);
    (makes_hosts(&words) && !drivers.is_empty()).then_some(Swept { drivers, account: None, config })
}

pub(crate) fn asks_for_help(arguments: &[OsString]) -> bool {
    words(arguments).iter().any(|word| matches!(*word, "--help" | "-h"))
}

fn words(arguments: &[OsString]) -> Vec<&str> {
    let words = arguments.iter().skip(1).map(|word| word.to_str().unwrap_or_default());
    words.take_while(|word| *word != "--").collect()
}

/// Those of `--spread`, or the one that `--driver` names.
fn drivers(words: &[&str], variables: &Variables) -> Vec<String> {
    let shares = values_of("--spread", words).filter_map(|share| share.split(',').next());
    let mut drivers: Vec<String> = shares.map(str::to_owned).collect();
    drivers.sort();
    drivers.dedup();
    if drivers.is_empty() {
        drivers.push(driver_name(values_of("--driver", words).next(), variables));
    }
    drivers
}

/// Whether the command is `create` or `swarm create`.
fn makes_hosts(words: &[&str]) -> bool {
    let mut rest = words.iter();
    let mut command = Vec::with_capacity(2);
    while let Some(word) = rest.next() {
        match *word {
            "--config" => {
                rest.next();
            }
            word if word.starts_with('-') => {}
            word => command.push(word),
        }
        if command.len() == 2 {
            break;
        }
    }
    matches!(command[..], ["create", ..] | ["swarm", "create"])
}

/// The values of `--name VALUE` and `--name=VALUE`.
fn values_of<'a>(name: &str, words: &[&'a str]) -> impl Iterator<Item = &'a str> {
    let next = words.iter().skip(1).copied().chain([""]);
    words.iter().copied().zip(next).filter_map(move |(word, next)| match word.strip_prefix(name)? {
        "" => Some(next),
        rest => rest.strip_prefix('='),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<Swept> {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        sweep(&arguments, &Variables::default())
    }

    fn driver(line: &str) -> Option<String> {
        of(line).map(|swept| swept.drivers.join(" "))
    }

    #[test]
    fn flags_of_the_driver_that_is_used_are_seen() {
        assert_eq!(driver("skep create --local-memory 1g web").as_deref(), Some("local"));
        assert_eq!(driver("skep create web --driver=sim --sim-rate 3").as_deref(), Some("sim"));
        assert_eq!(driver("skep swarm create s --driver sim --sim-rate=3").as_deref(), Some("sim"));
        assert_eq!(driver("skep create web --driver sim --local-memory 1g"), None);
        assert_eq!(driver("skep create web -- --local-memory"), None);
        assert_eq!(driver("skep ls --local-memory"), None);
        assert_eq!(driver("skep rm create --local-memory"), None);
    }

    #[test]
    fn flags_of_every_share_are_seen() {
        let line = "skep create web --spread sim,max=2 --spread=local --local-memory 1g";
        assert_eq!(driver(line).as_deref(), Some("local sim"));
        assert_eq!(
            driver("skep create web --driver machine/nimbus --flavour 2").as_deref(),
            Some("machine/nimbus")
        );
    }

    #[test]
    fn an_account_without_its_driver_is_looked_up() {
        let account = |line| of(line).and_then(|swept| swept.account);
        assert_eq!(account("skep create web --account prod --flavour 2").as_deref(), Some("prod"));
        assert_eq!(account("skep create web --account=prod --driver sim --sim-rate 3"), None);
        assert_eq!(account("skep ls --account prod"), None);
    }

    #[test]
    fn the_configuration_is_found_on_the_way() {
        let swept = of("skep --config /a create --local-memory 1g web").unwrap();
        assert_eq!(swept.config, Some(PathBuf::from("/a")));
    }
}
