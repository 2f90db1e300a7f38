//! Looks, before anything is known about the driver, whether its flags are there at all.

use std::ffi::OsString;
use std::path::PathBuf;

use super::driver_name;
use crate::surroundings::Variables;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Swept {
    pub(crate) driver: String,
    pub(crate) config: Option<PathBuf>,
}

/// The driver whose flags are among `arguments`; None when they need no help from the cluster.
pub(crate) fn sweep(arguments: &[OsString], variables: &Variables) -> Option<Swept> {
    let words: Vec<&str> = arguments
        .iter()
        .skip(1)
        .map(|word| word.to_str().unwrap_or_default())
        .take_while(|word| *word != "--")
        .collect();
    if !makes_hosts(&words) {
        return None;
    }
    let driver = driver_name(value_of("--driver", &words), variables);
    let prefix = format!("--{driver}-");
    words
        .iter()
        .any(|word| word.starts_with(&prefix))
        .then(|| Swept { driver, config: value_of("--config", &words).map(PathBuf::from) })
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

/// The value of `--name VALUE` or `--name=VALUE`.
fn value_of<'a>(name: &str, words: &[&'a str]) -> Option<&'a str> {
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if *word == name {
            return rest.next().copied();
        }
        if let Some(value) = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<Swept> {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        sweep(&arguments, &Variables::default())
    }

    fn driver(line: &str) -> Option<String> {
        of(line).map(|swept| swept.driver)
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
    fn the_configuration_is_found_on_the_way() {
        let swept = of("skep --config /a create --local-memory 1g web").unwrap();
        assert_eq!(swept.config, Some(PathBuf::from("/a")));
    }
}
