//! A request for instances, as it comes in and as the driver takes it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize;
use skep_driver::bootstrap::SCRIPT_BYTES_MAX;
use skep_driver::{Bootstrap, CreateIntent, Slot};
use skep_types::{FieldViolation, Secret, Template, limits};

use super::problem::Problem;
use super::shown::{CLUSTER, HOST, INCARNATION, INTENT};

/// As with EC2's client tokens.
const TOKEN_BYTES: usize = 64;

pub(super) type Texts = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    /// The same request with the same token makes nothing new.
    token: String,
    /// The cluster and the intent, of every instance.
    tags: Texts,
    /// As a template's of the driver `sim`.
    #[serde(default)]
    options: Texts,
    instances: Vec<Wanted>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: String,
    /// The host and its incarnation.
    tags: Texts,
    /// The agent's configuration, with its enrolment token: instances of a simulation run the agent from it.
    user_data: String,
}

/// Everything that is wrong, not only the first.
#[derive(Default)]
struct Reader {
    wrong: Vec<FieldViolation>,
}

impl Reader {
    fn refuse(&mut self, field: impl Into<String>, description: impl Display) {
        self.wrong.push(FieldViolation { field: field.into(), description: description.to_string() });
    }

    fn require(&mut self, holds: bool, field: impl Into<String>, description: impl Display) {
        if !holds {
            self.refuse(field, description);
        }
    }

    fn tag<T: FromStr<Err: Display>>(&mut self, of: &str, tags: &Texts, name: &str) -> Option<T> {
        let Some(text) = tags.get(name) else {
            self.refuse(format!("{of}tags.{name}"), "is needed");
            return None;
        };
        text.parse().map_err(|error| self.refuse(format!("{of}tags.{name}"), error)).ok()
    }

    fn only(&mut self, of: &str, tags: &Texts, known: [&str; 2]) {
        for name in tags.keys().filter(|name| !known.contains(&name.as_str())) {
            self.refuse(format!("{of}tags.{name}"), "is no tag that is kept here");
        }
    }

    fn slot(&mut self, at: usize, wanted: Wanted) -> Option<Slot> {
        let of = format!("instances.{at}.");
        let named = (1..=limits::NAME_BYTES).contains(&wanted.name.len());
        self.require(named, format!("{of}name"), "must have 1 to 63 bytes");
        let fits = wanted.user_data.len() <= SCRIPT_BYTES_MAX;
        self.require(fits, format!("{of}user_data"), format!("must have at most {SCRIPT_BYTES_MAX} bytes"));
        self.only(&of, &wanted.tags, [HOST, INCARNATION]);
        let host = self.tag(&of, &wanted.tags, HOST);
        let incarnation = self.tag(&of, &wanted.tags, INCARNATION);
        Some(Slot {
            name: wanted.name,
            host: host?,
            incarnation: incarnation?,
            bootstrap: boot(wanted.user_data),
        })
    }
}

/// The addresses and the digest of an agent are for machines that have to fetch one.
fn boot(user_data: String) -> Bootstrap {
    Bootstrap { agent_urls: Vec::new(), agent_sha256: String::new(), agent_config: Secret::new(user_data) }
}

impl Create {
    pub(super) fn intent(self) -> Result<CreateIntent, Problem> {
        let mut reader = Reader::default();
        let token = (1..=TOKEN_BYTES).contains(&self.token.len()) && self.token.is_ascii();
        reader.require(token, "token", format!("must have 1 to {TOKEN_BYTES} ASCII characters"));
        reader.only("", &self.tags, [CLUSTER, INTENT]);
        let cluster: Option<String> = reader.tag("", &self.tags, CLUSTER);
        let named = cluster.as_ref().is_none_or(|cluster| (1..=limits::TOKEN_BYTES).contains(&cluster.len()));
        reader.require(named, format!("tags.{CLUSTER}"), "must have 1 to 128 bytes");
        let intent = reader.tag("", &self.tags, INTENT);
        let slots = self.instances.into_iter().enumerate();
        let slots: Vec<Slot> = slots.filter_map(|(at, wanted)| reader.slot(at, wanted)).collect();
        let (Some(cluster), Some(intent), true) = (cluster, intent, reader.wrong.is_empty()) else {
            return Err(Problem::invalid(reader.wrong));
        };
        let template = template(self.options);
        Ok(CreateIntent { cluster, intent, token: self.token, template, slots, lost: false, inherited: None })
    }
}

/// For the driver on this world, which has one account.
pub(super) fn template(options: Texts) -> Template {
    #[expect(clippy::expect_used, reason = "a literal that is a DNS label")]
    let account = "sim".parse().expect("a valid account name");
    #[expect(clippy::expect_used, reason = "a literal that is a DNS label")]
    let driver = "sim".parse().expect("a valid driver name");
    Template { driver, account, options, labels: BTreeMap::new() }
}
