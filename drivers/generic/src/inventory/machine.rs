//! One machine of a list.

use serde::{Deserialize, Serialize};
use skep_ssh::config::{Place, parse_place};

/// Where a machine is and how it is reached, as far as it was said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The host's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A name or an address.
    pub address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// A private key's file on the coordinator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `[user@]host[:port]`, the first one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jumps: Vec<String>,
    /// `SHA256:…`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_keys: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// The columns of a CSV file and keys of a YAML file, beside Ansible's words for the same.
const WORDS: [(&str, &str); 21] = [
    ("name", "name"),
    ("address", "address"),
    ("host", "address"),
    ("ip", "address"),
    ("ansible_host", "address"),
    ("ansible_ssh_host", "address"),
    ("port", "port"),
    ("ansible_port", "port"),
    ("ansible_ssh_port", "port"),
    ("user", "user"),
    ("ansible_user", "user"),
    ("ansible_ssh_user", "user"),
    ("key", "key"),
    ("ansible_ssh_private_key_file", "key"),
    ("ansible_private_key_file", "key"),
    ("jump", "jump"),
    ("jump_host", "jump"),
    ("ansible_ssh_common_args", "arguments"),
    ("host_key", "host_key"),
    ("fingerprint", "host_key"),
    ("zone", "zone"),
];

pub(super) fn is_word(word: &str) -> bool {
    WORDS.iter().any(|(known, _)| *known == word)
}

impl Machine {
    /// Sets what `word` means; false for a word that means nothing here.
    pub(super) fn set(&mut self, word: &str, value: &str) -> Result<bool, String> {
        let Some((_, meaning)) = WORDS.iter().find(|(known, _)| *known == word) else { return Ok(false) };
        let value = value.trim();
        if value.is_empty() {
            return Ok(true);
        }
        match *meaning {
            "name" => self.name = Some(value.to_owned()),
            "address" => self.place(value)?,
            "port" => self.port = Some(port(value)?),
            "user" => self.user = Some(value.to_owned()),
            "key" => self.key = Some(value.to_owned()),
            "jump" => self.jumps = jumps(value)?,
            "arguments" => self.jumps = jumps_of_arguments(value)?,
            "host_key" => self.host_keys = host_keys(value)?,
            _ => self.zone = Some(value.to_owned()),
        }
        Ok(true)
    }

    /// An address, with user and port if they stand with it.
    pub(super) fn place(&mut self, text: &str) -> Result<(), String> {
        let place = server(text)?;
        self.address = place.host;
        self.port = place.port.or(self.port);
        self.user = place.user.or(self.user.take());
        Ok(())
    }

    /// What it leaves open is taken from `defaults`.
    #[must_use]
    pub fn or(mut self, defaults: &Self) -> Self {
        self.port = self.port.or(defaults.port);
        self.user = self.user.or_else(|| defaults.user.clone());
        self.key = self.key.or_else(|| defaults.key.clone());
        if self.jumps.is_empty() {
            self.jumps.clone_from(&defaults.jumps);
        }
        if self.host_keys.is_empty() {
            self.host_keys.clone_from(&defaults.host_keys);
        }
        self.zone = self.zone.or_else(|| defaults.zone.clone());
        self
    }
}

/// A place that can be part of an instance's id.
pub fn server(text: &str) -> Result<Place, String> {
    let place = parse_place(text)?;
    let usable = |c: char| c.is_ascii_alphanumeric() || ".:-_%".contains(c);
    if !place.host.chars().all(usable) {
        return Err(format!("{:?} is no name or address of a machine", place.host));
    }
    Ok(place)
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().ok().filter(|port| *port > 0).ok_or_else(|| format!("{text:?} is no port"))
}

pub(crate) fn jumps(text: &str) -> Result<Vec<String>, String> {
    let each = text.split([',', ' ']).map(str::trim).filter(|jump| !jump.is_empty());
    each.map(|jump| server(jump).map(|_| jump.to_owned())).collect()
}

/// Fingerprints as `ssh-keygen -l` prints them, by commas or spaces.
pub(crate) fn host_keys(text: &str) -> Result<Vec<String>, String> {
    let each = text.split([',', ' ', ';']).map(str::trim).filter(|key| !key.is_empty());
    each.map(|key| skep_ssh::HostKeys::default().expect_fingerprint(key).map(|()| key.to_owned())).collect()
}

/// `-J x`, `-o ProxyJump=x`, with or without quotes. Other arguments are OpenSSH's.
fn jumps_of_arguments(text: &str) -> Result<Vec<String>, String> {
    let words: Vec<&str> = text.split([' ', '"', '\'']).filter(|word| !word.is_empty()).collect();
    for (at, word) in words.iter().enumerate() {
        let value = match *word {
            "-J" => words.get(at + 1).copied(),
            word if word.starts_with("-J") => word.strip_prefix("-J"),
            word => word.trim_start_matches("-o").strip_prefix("ProxyJump="),
        };
        if let Some(value) = value {
            return jumps(value);
        }
    }
    Ok(Vec::new())
}
