//! Takes the drivers' flags out of the arguments, now that it is known which take a value.

use std::collections::BTreeMap;
use std::ffi::OsString;

use skep_proto::v1::{Driver, DriverFlag};

use super::{prefix, unknown};
use crate::failure::Failure;

type Options = BTreeMap<String, String>;

pub(crate) fn extract(
    arguments: Vec<OsString>,
    drivers: &[&Driver],
) -> Result<(Vec<OsString>, Options), Failure> {
    let mut left = Vec::with_capacity(arguments.len());
    let mut options = Options::new();
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        if argument == "--" {
            left.push(argument);
            left.extend(rest.by_ref());
            break;
        }
        let word = argument.to_str().and_then(|word| word.strip_prefix("--"));
        let (name, inline) = match word.and_then(|word| word.split_once('=')) {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.unwrap_or_default(), None),
        };
        let Some(flag) = known(drivers, name)? else {
            left.push(argument);
            continue;
        };
        let value = match inline {
            Some(value) => value,
            None if flag.kind == "boolean" => "true".to_owned(),
            None => text(name, rest.next())?,
        };
        add(&mut options, flag, value)?;
    }
    Ok((left, options))
}

/// None for what is no driver's: it is left to be read as a flag of ours.
fn known<'a>(drivers: &[&'a Driver], name: &str) -> Result<Option<&'a DriverFlag>, Failure> {
    let flag = drivers.iter().find_map(|driver| driver.flags.iter().find(|flag| flag.name == name));
    let Some(driver) =
        drivers.iter().find(|driver| flag.is_none() && name.starts_with(&prefix(&driver.name)))
    else {
        return Ok(flag);
    };
    Err(unknown(driver, name))
}

fn text(name: &str, value: Option<OsString>) -> Result<String, Failure> {
    value
        .ok_or_else(|| Failure::Usage(format!("--{name} needs a value")))?
        .into_string()
        .map_err(|_| Failure::Usage(format!("the value of --{name} is not UTF-8")))
}

/// Lists are joined by commas, as drivers read them; anything else is given once.
fn add(options: &mut Options, flag: &DriverFlag, value: String) -> Result<(), Failure> {
    match options.get_mut(&flag.name) {
        None => {
            options.insert(flag.name.clone(), value);
        }
        Some(list) if flag.kind == "list" => {
            list.push(',');
            list.push_str(&value);
        }
        Some(_) => return Err(Failure::Usage(format!("--{} was given twice", flag.name))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn driver() -> Driver {
        let flag = |name: &str, kind: &str| DriverFlag {
            name: name.into(),
            kind: kind.into(),
            ..DriverFlag::default()
        };
        Driver {
            name: "local".into(),
            flags: vec![
                flag("local-memory", "string"),
                flag("local-tty", "boolean"),
                flag("local-dns", "list"),
            ],
            ..Driver::default()
        }
    }

    fn take(line: &str) -> Result<(String, String), String> {
        let arguments = line.split(' ').map(OsString::from).collect();
        let (left, options) = extract(arguments, &[&driver()]).map_err(|failure| failure.text())?;
        let left: Vec<_> = left.iter().map(|word| word.to_str().unwrap()).collect();
        let options: Vec<_> = options.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Ok((left.join(" "), options.join(" ")))
    }

    #[test]
    fn flags_may_stand_anywhere() {
        let taken =
            take("skep create --local-tty web --local-memory 1g --count 3 --local-dns=a --local-dns b");
        let (left, options) = taken.unwrap();
        assert_eq!(left, "skep create web --count 3");
        assert_eq!(options, "local-dns=a,b local-memory=1g local-tty=true");
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(
            take("skep create --local-colour red web").unwrap_err(),
            "skep: the driver local has no flag --local-colour; it has: --local-memory, --local-tty, --local-dns\n"
        );
        assert_eq!(take("skep create --local-memory").unwrap_err(), "skep: --local-memory needs a value\n");
        assert_eq!(
            take("skep create --local-memory 1 --local-memory 2").unwrap_err(),
            "skep: --local-memory was given twice\n"
        );
    }
}
