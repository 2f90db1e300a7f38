//! A template's options and an account's credentials, as the values that the plugin's flags want. Pure.

use std::collections::BTreeMap;

use skep_driver::{DriverError, flags};
use skep_machine_protocol::{CreateFlag, FlagValue};
use skep_types::{DriverDescription, Secret, Template};

pub(crate) type Values = BTreeMap<String, FlagValue>;

/// Every flag gets a value of its type: the template's, else the account's, else the plugin's own default.
pub(crate) fn values(
    description: &DriverDescription,
    known: &[CreateFlag],
    credentials: &BTreeMap<String, Secret>,
    template: &Template,
) -> Result<Values, DriverError> {
    flags::read(&description.flags, template)?;
    let mut values = shared();
    for flag in known {
        let given = template.options.get(&flag.name).map(String::as_str);
        let given = given.or_else(|| credentials.get(&flag.name).map(Secret::reveal));
        let value = match given {
            Some(text) => parsed(flag, text)?,
            None => flag.default.clone(),
        };
        values.insert(flag.name.clone(), value);
    }
    Ok(values)
}

fn parsed(flag: &CreateFlag, text: &str) -> Result<FlagValue, DriverError> {
    let refuse = |wanted| flags::invalid(&flag.name, wanted);
    Ok(match flag.default {
        FlagValue::Text(_) => FlagValue::Text(text.to_owned()),
        FlagValue::Int(_) => FlagValue::Int(text.parse().map_err(|_| refuse("must be a whole number"))?),
        FlagValue::Bool(_) => FlagValue::Bool(text.parse().map_err(|_| refuse("must be true or false"))?),
        FlagValue::List(_) => {
            let items = text.split(',').filter(|item| !item.is_empty());
            FlagValue::List(items.map(str::to_owned).collect())
        }
    })
}

/// What Docker Machine's `create` gives to every driver beside its own flags: some read them, and log at length what
/// is missing. Swarms and engines are not a plugin's affair here, so all are empty.
fn shared() -> Values {
    let texts = [
        "engine-install-url",
        "engine-storage-driver",
        "swarm-addr",
        "swarm-discovery",
        "swarm-host",
        "swarm-image",
        "swarm-strategy",
    ];
    let lists = [
        "engine-env",
        "engine-insecure-registry",
        "engine-label",
        "engine-opt",
        "engine-registry-mirror",
        "swarm-join-opt",
        "swarm-opt",
        "tls-san",
    ];
    let switches = ["swarm", "swarm-experimental", "swarm-master"];
    let text = texts.map(|name| (name, FlagValue::Text(String::new())));
    let list = lists.map(|name| (name, FlagValue::List(Vec::new())));
    let switch = switches.map(|name| (name, FlagValue::Bool(false)));
    text.into_iter().chain(list).chain(switch).map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::description;

    fn flag(name: &str, default: FlagValue) -> CreateFlag {
        CreateFlag { name: name.to_owned(), usage: String::new(), env: String::new(), default }
    }

    fn read(options: &[(&str, &str)]) -> Result<Values, DriverError> {
        let known = [
            flag("x-token", FlagValue::Text(String::new())),
            flag("x-size", FlagValue::Text("small".into())),
            flag("x-port", FlagValue::Int(-1)),
            flag("x-fast", FlagValue::Bool(false)),
            flag("x-tag", FlagValue::List(vec!["a,b".into()])),
        ];
        let template = Template {
            driver: "machine/x".parse().unwrap(),
            account: "x".parse().unwrap(),
            options: options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            labels: BTreeMap::new(),
        };
        let credentials = BTreeMap::from([("x-token".to_owned(), Secret::new("hunter2"))]);
        values(&description(template.driver.clone(), &known), &known, &credentials, &template)
    }

    #[test]
    fn every_flag_has_a_value_of_its_type() {
        let values = read(&[("x-port", "22"), ("x-fast", "true")]).unwrap();
        assert_eq!(values["x-token"], FlagValue::Text("hunter2".into()));
        assert_eq!(values["x-size"], FlagValue::Text("small".into()));
        assert_eq!(values["x-port"], FlagValue::Int(22));
        assert_eq!(values["x-fast"], FlagValue::Bool(true));
        assert_eq!(values["x-tag"], FlagValue::List(vec!["a,b".into()]));
        assert_eq!(values["swarm-master"], FlagValue::Bool(false));
        let values = read(&[("x-tag", "c,d,")]).unwrap();
        assert_eq!(values["x-tag"], FlagValue::List(vec!["c".into(), "d".into()]));
        assert_eq!(values["x-port"], FlagValue::Int(-1));
    }

    #[test]
    fn credentials_are_not_taken_from_templates() {
        assert!(read(&[("x-token", "in clear")]).unwrap_err().message.contains("x-token"));
        assert!(read(&[("x-port", "many")]).unwrap_err().message.contains("x-port"));
    }
}
