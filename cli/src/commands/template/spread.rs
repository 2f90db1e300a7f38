//! One share of the hosts: `DRIVER[,KEY=VALUE…]`.

use std::collections::BTreeMap;

use crate::failure::Failure;
use crate::pair::pair;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) driver: String,
    /// Empty for the driver's own.
    pub(super) account: String,
    pub(super) weight: u32,
    /// 0 for no cap.
    pub(super) max: u32,
    /// The driver's flags, their names without dashes.
    pub(super) options: BTreeMap<String, String>,
}

pub(super) fn read(text: &str) -> Result<Wanted, Failure> {
    let mut parts = text.split(',');
    let driver = parts.next().filter(|driver| !driver.is_empty() && !driver.contains('='));
    let driver = driver.ok_or_else(|| wrong("begins with the driver's name"))?.to_owned();
    let mut wanted = Wanted { driver, account: String::new(), weight: 1, max: 0, options: BTreeMap::new() };
    for part in parts {
        let (key, value) = pair(part).ok_or_else(|| wrong("takes KEY=VALUE after the driver"))?;
        match key {
            "account" => value.clone_into(&mut wanted.account),
            "weight" => wanted.weight = positive(key, value)?,
            "max" => wanted.max = positive(key, value)?,
            // The cluster knows which flags the driver has.
            _ => {
                wanted.options.insert(key.to_owned(), value.to_owned());
            }
        }
    }
    Ok(wanted)
}

fn positive(key: &str, value: &str) -> Result<u32, Failure> {
    let number = value.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| wrong(&format!("takes a whole number above 0 for {key}")))
}

fn wrong(rule: &str) -> Failure {
    Failure::Usage(format!("--spread {rule}, such as amazonec2,weight=2,max=10,account=prod"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_driver_and_what_it_takes() {
        let wanted = read("sim,weight=2,max=10,account=prod,sim-zone=b").unwrap();
        let options = BTreeMap::from([("sim-zone".to_owned(), "b".to_owned())]);
        let (driver, account) = ("sim".to_owned(), "prod".to_owned());
        assert_eq!(wanted, Wanted { driver, account, weight: 2, max: 10, options });
        assert_eq!(read("local").unwrap().weight, 1);
    }

    #[test]
    fn mistakes_say_what_is_taken() {
        for (text, rule) in [
            ("", "begins with the driver's name"),
            ("weight=2", "begins with the driver's name"),
            ("sim,fast", "takes KEY=VALUE after the driver"),
            ("sim,max=0", "takes a whole number above 0 for max"),
        ] {
            let failure = read(text).unwrap_err().text();
            assert!(failure.contains(rule), "{failure}");
        }
    }
}
