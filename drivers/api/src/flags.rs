//! A template's options, read by the driver's own description of its flags.
//!
//! A driver calls [`read`] once, in `check` and in `ensure`, and converts the values it got; nothing else looks at
//! option names, so a flag that is not described cannot be used and one that is not known cannot be passed over.

use std::collections::BTreeMap;

use skep_types::{FieldViolation, FlagDescription, FlagKind, Template};

use crate::{DriverError, ErrorKind};

/// Values by flag name: the template's, else the flag's default. Flags with neither are absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flags(BTreeMap<String, String>);

/// The path of an option in a request, as violations name it.
pub fn field(option: &str) -> String {
    format!("template.options.{option}")
}

/// A refusal that names one option.
pub fn invalid(option: &str, description: impl Into<String>) -> DriverError {
    refuse(vec![FieldViolation { field: field(option), description: description.into() }])
}

fn refuse(violations: Vec<FieldViolation>) -> DriverError {
    let listed: Vec<String> = violations.iter().map(|v| format!("{}: {}", v.field, v.description)).collect();
    DriverError::new(ErrorKind::InvalidSpec { violations }, listed.join("; "))
}

/// Refuses unknown options and values of the wrong kind, all at once.
pub fn read(flags: &[FlagDescription], template: &Template) -> Result<Flags, DriverError> {
    let violations: Vec<FieldViolation> = template
        .options
        .iter()
        .filter_map(|(name, value)| {
            violation(flags, name, value)
                .map(|description| FieldViolation { field: field(name), description })
        })
        .collect();
    if !violations.is_empty() {
        return Err(refuse(violations));
    }
    let defaults =
        flags.iter().filter(|f| !f.default.is_empty()).map(|f| (f.name.clone(), f.default.clone()));
    let given = template.options.iter().map(|(name, value)| (name.clone(), value.clone()));
    Ok(Flags(defaults.chain(given).collect()))
}

fn violation(flags: &[FlagDescription], name: &str, value: &str) -> Option<String> {
    let Some(flag) = flags.iter().find(|flag| flag.name == name) else {
        let known: Vec<&str> = flags.iter().map(|flag| flag.name.as_str()).collect();
        return Some(format!("is no flag of this driver; it has {}", known.join(", ")));
    };
    match flag.kind {
        FlagKind::String | FlagKind::StringList => None,
        FlagKind::Integer => value.parse::<u64>().is_err().then(|| "must be a whole number".to_owned()),
        FlagKind::Boolean => value.parse::<bool>().is_err().then(|| "must be true or false".to_owned()),
    }
}

impl Flags {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of an integer flag, refused by name outside `range`.
    pub fn integer(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<Option<u64>, DriverError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(value) if range.contains(&value) => Ok(Some(value)),
            _ => Err(invalid(
                name,
                format!("must be a whole number from {} to {}", range.start(), range.end()),
            )),
        }
    }

    pub fn boolean(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags() -> Vec<FlagDescription> {
        let flag = |name: &str, kind, default: &str| FlagDescription {
            name: name.into(),
            kind,
            usage: String::new(),
            default: default.into(),
            env: String::new(),
        };
        vec![flag("x-cpus", FlagKind::Integer, "2"), flag("x-fast", FlagKind::Boolean, "")]
    }

    fn template(options: &[(&str, &str)]) -> Template {
        Template {
            driver: "x".parse().unwrap(),
            account: "x".parse().unwrap(),
            options: options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            labels: BTreeMap::new(),
        }
    }

    #[test]
    fn defaults_are_filled_in_and_given_values_win() {
        let read_cpus = |options: &[(&str, &str)]| {
            read(&flags(), &template(options)).unwrap().integer("x-cpus", 1..=64).unwrap()
        };
        assert_eq!(read_cpus(&[]), Some(2));
        assert_eq!(read_cpus(&[("x-cpus", "8")]), Some(8));
    }

    #[test]
    fn every_wrong_option_is_named_at_once() {
        let error = read(&flags(), &template(&[("x-cpus", "many"), ("x-gpu", "1")])).unwrap_err();
        let ErrorKind::InvalidSpec { violations } = error.kind else { panic!("{error:?}") };
        let fields: Vec<&str> = violations.iter().map(|v| v.field.as_str()).collect();
        assert_eq!(fields, ["template.options.x-cpus", "template.options.x-gpu"]);
    }

    #[test]
    fn a_number_out_of_range_is_refused_with_the_range() {
        let read = read(&flags(), &template(&[("x-cpus", "65")])).unwrap();
        let error = read.integer("x-cpus", 1..=64).unwrap_err();
        assert!(error.message.contains("from 1 to 64"), "{error}");
    }
}
