//! A template's options, read and checked; and which machine a host gets. Pure.

use skep_driver::{DriverError, flags};
use skep_ssh::config::SshConfig;
use skep_types::{FlagDescription, FlagKind, Template};

use crate::inventory::{Inventory, Machine, machine, server};
use crate::way::way;

const ADDRESS: &str = "generic-ip-address";
const USER: &str = "generic-ssh-user";
const PORT: &str = "generic-ssh-port";
const KEY: &str = "generic-ssh-key";
const ENGINE_PORT: &str = "generic-engine-port";
const JUMP: &str = "generic-jump-host";
const HOST_KEY: &str = "generic-host-key";
const MACHINES: &str = "generic-machines";

/// Docker Machine's defaults.
pub(crate) const DEFAULT_USER: &str = "root";
pub(crate) const DEFAULT_PORT: u16 = 22;
/// Where the front door listens on every host.
const DEFAULT_ENGINE_PORT: u64 = 2376;

/// Docker Machine's five flags with its names, variables and defaults, and ours.
pub(crate) fn flags() -> Vec<FlagDescription> {
    use FlagKind::{Integer, String, StringList};
    vec![
        flag(
            ADDRESS,
            String,
            "Address or name of the machine; without it, the machine of the host's name",
            "",
        ),
        flag(USER, String, "User to log in as: root, or one who may use sudo", DEFAULT_USER),
        flag(PORT, Integer, "Port of the machine's SSH server", "22"),
        flag(KEY, String, "File on the coordinator with the private key; without it, the account's", ""),
        flag(ENGINE_PORT, Integer, "Port of the Docker front door; 2376 is the only one", "2376"),
        flag(JUMP, StringList, "Servers to go through, [user@]host[:port], the first one first", ""),
        flag(HOST_KEY, StringList, "Fingerprints of the machine's host key, as SHA256:…", ""),
        flag(
            MACHINES,
            String,
            "Machines as CSV, YAML or Ansible inventory; each host takes that of its name",
            "",
        ),
    ]
}

fn flag(name: &str, kind: FlagKind, usage: &str, default: &str) -> FlagDescription {
    FlagDescription {
        name: name.to_owned(),
        kind,
        usage: usage.to_owned(),
        default: default.to_owned(),
        env: name.to_ascii_uppercase().replace('-', "_"),
    }
}

/// A template's options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// Every host of the template, where one machine is named.
    one: Option<Machine>,
    list: Inventory,
    /// For what a machine leaves open.
    defaults: Machine,
}

impl Options {
    /// Of user and port only what was said: a default would win over `~/.ssh/config`.
    pub(crate) fn read(template: &Template) -> Result<Self, DriverError> {
        let given = flags::read(&flags(), template)?;
        let text =
            |name: &str| template.options.get(name).map(String::as_str).filter(|text| !text.is_empty());
        if given.integer(ENGINE_PORT, 1..=65_535)?.is_some_and(|port| port != DEFAULT_ENGINE_PORT) {
            let why =
                "the Docker front door listens on 2376 on every host; an engine's own port stays as it is";
            return Err(flags::invalid(ENGINE_PORT, why));
        }
        let port = given.integer(PORT, 1..=65_535)?.filter(|_| text(PORT).is_some());
        let port = port.and_then(|port| u16::try_from(port).ok());
        let list = |name: &'static str, read: fn(&str) -> Result<Vec<String>, String>| {
            text(name).map_or(Ok(Vec::new()), |text| read(text).map_err(|why| flags::invalid(name, why)))
        };
        let defaults = Machine {
            port,
            user: text(USER).map(str::to_owned),
            key: text(KEY).map(str::to_owned),
            jumps: list(JUMP, machine::jumps)?,
            host_keys: list(HOST_KEY, machine::host_keys)?,
            ..Machine::default()
        };
        let one = text(ADDRESS).map(|text| named(text).map_err(|why| flags::invalid(ADDRESS, why)));
        let machines = Inventory::parse(text(MACHINES).unwrap_or_default())
            .map_err(|error| flags::invalid(MACHINES, error.to_string()))?;
        Ok(Self { one: one.transpose()?, list: machines, defaults })
    }

    /// The machine for the host `name`, from the template's own list or else from `inventory`. The same for ever: a
    /// replayed create must find what it made.
    pub(crate) fn machine(&self, name: &str, inventory: &Inventory) -> Result<Machine, DriverError> {
        let found = match (&self.one, self.list.machines.is_empty()) {
            (Some(one), _) => Some(one),
            (None, false) => self.list.of(name),
            (None, true) => inventory.of(name),
        };
        let missing = || flags::invalid(ADDRESS, format!("no machine is listed for the host {name:?}"));
        Ok(found.cloned().ok_or_else(missing)?.or(&self.defaults))
    }

    /// Whether there is any machine to choose from, and a way to it where it is named.
    pub(crate) fn check(&self, inventory: &Inventory, config: &SshConfig) -> Result<(), DriverError> {
        let none = self.one.is_none() && self.list.machines.is_empty() && inventory.machines.is_empty();
        if none {
            let why =
                format!("name a machine, or give a list of them with {MACHINES} or the account's inventory");
            return Err(flags::invalid(ADDRESS, why));
        }
        let named = self.one.clone().map(|one| one.or(&self.defaults));
        let way = named.map(|one| way(config, &one)).transpose();
        way.map(drop).map_err(|why| flags::invalid(ADDRESS, why))
    }

    /// The file of a private key that is not the account's.
    pub(crate) fn key_file(&self) -> Option<&str> {
        self.defaults.key.as_deref()
    }
}

fn named(text: &str) -> Result<Machine, String> {
    let place = server(text)?;
    Ok(Machine { address: place.host, port: place.port, user: place.user, ..Machine::default() })
}

#[cfg(test)]
mod tests;
