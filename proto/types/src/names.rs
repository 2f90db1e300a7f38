//! Names people and drivers give: validated once, where they come in, and trusted afterwards.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits;

/// Why a text is not the name it should be. Says the rule, so that the reader can mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} {rule}")]
pub struct NameError {
    text: String,
    rule: &'static str,
}

const DNS_LABEL: &str =
    "is not a DNS label: use 1 to 63 of a-z, 0-9 and '-', starting and ending with a letter or digit";
const TOKEN: &str = "is not usable: use 1 to 128 printable ASCII characters without spaces";

const DRIVER_KIND: &str = "is no kind of driver: use a DNS label, or two with a '/' between, FAMILY/VARIANT";

fn dns_label(text: &str) -> Result<(), &'static str> {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let bytes = text.as_bytes();
    let ends_well = |b: Option<&u8>| b.is_some_and(|b| *b != b'-');
    let valid = bytes.len() <= limits::NAME_BYTES
        && ends_well(bytes.first())
        && ends_well(bytes.last())
        && bytes.iter().all(|b| inner(*b));
    if valid { Ok(()) } else { Err(DNS_LABEL) }
}

fn driver_kind(text: &str) -> Result<(), &'static str> {
    let labels = match text.split_once('/') {
        Some((family, variant)) => dns_label(family).and(dns_label(variant)),
        None => dns_label(text),
    };
    labels.map_err(|_| DRIVER_KIND)
}

fn printable(text: &str) -> Result<(), &'static str> {
    let valid =
        !text.is_empty() && text.len() <= limits::TOKEN_BYTES && text.bytes().all(|b| b.is_ascii_graphic());
    if valid { Ok(()) } else { Err(TOKEN) }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                match $check(text) {
                    Ok(()) => Ok(Self(text.into())),
                    Err(rule) => Err(NameError { text: text.chars().take(limits::TOKEN_BYTES).collect(), rule }),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(
    /// The cluster's id: a UUID, made once at its start. Every certificate names it.
    ClusterId, dns_label
);
name!(
    /// A host's name, also its hostname: unique in the cluster.
    HostName, dns_label
);
name!(
    /// A swarm's name: unique in the cluster.
    SwarmName, dns_label
);
name!(
    /// A driver's kind, such as `local` or `amazonec2`, or one of a family, such as `machine/digitalocean`.
    DriverName, driver_kind
);
name!(
    /// A named set of endpoint, credential and limits of one driver.
    AccountName, dns_label
);
name!(
    /// A person that may use the API.
    PersonName, dns_label
);
name!(
    /// Chosen by the caller, so that a request sent twice is done once.
    RequestId, printable
);
name!(
    /// The driver's own id of an instance.
    ProviderId, printable
);
name!(
    /// Docker's id of a node of a swarm.
    NodeId, printable
);

impl DriverName {
    /// What the driver's flags begin with, before a `-`: its name, or its variant of a family.
    pub fn flag_prefix(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The account that templates mean which name none: it is called like the driver, `machine-digitalocean` in a
    /// family. None where that is too long for a name.
    pub fn own_account(&self) -> Option<AccountName> {
        self.0.replace('/', "-").parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_drivers() {
        for (good, prefix) in [("local", "local"), ("machine/digitalocean", "digitalocean")] {
            assert_eq!(good.parse::<DriverName>().unwrap().flag_prefix(), prefix);
        }
        for bad in ["", "/", "a/", "/a", "a/b/c", "a/B", "../a"] {
            assert!(bad.parse::<DriverName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn dns_labels() {
        for good in ["a", "web-1", "0", &"x".repeat(63)] {
            assert!(good.parse::<HostName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a_b", "ü", " a", &"x".repeat(64)] {
            assert!(bad.parse::<HostName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_repeats_a_bounded_part_of_the_text() {
        let error = "x".repeat(1 << 20).parse::<HostName>().unwrap_err();
        assert!(error.to_string().len() < 400);
    }
}
